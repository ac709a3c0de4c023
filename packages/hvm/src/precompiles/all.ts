import type { BitcoinView, ChainSpec } from '@hemid/protocol';
import { balance } from './40-balance.ts';
import { confirmations } from './43-confirmations.ts';
import { lastHeader } from './44-last-header.ts';
import { headerAt } from './45-header-at.ts';
import { type BoundPrecompile, bindPrecompile } from './bind.ts';

/** Every Bitcoin precompile, bound to the view of one block. */
export function bindAll(view: BitcoinView, spec: ChainSpec): BoundPrecompile[] {
  return [
    bindPrecompile(balance, view, spec),
    bindPrecompile(confirmations, view, spec),
    bindPrecompile(lastHeader, view, spec),
    bindPrecompile(headerAt, view, spec),
  ];
}
