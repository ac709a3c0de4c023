import type { BitcoinView, ChainSpec } from '@hemid/protocol';
import { balance } from './40-balance.ts';
import { unspent } from './41-unspent.ts';
import { transaction } from './42-transaction.ts';
import { confirmations } from './43-confirmations.ts';
import { lastHeader } from './44-last-header.ts';
import { headerAt } from './45-header-at.ts';
import { script } from './46-script.ts';
import { input } from './47-input.ts';
import { output } from './48-output.ts';
import { witness } from './49-witness.ts';
import { type BoundPrecompile, bindPrecompile } from './bind.ts';

/** Every Bitcoin precompile, bound to the view of one block. */
export function bindAll(view: BitcoinView, spec: ChainSpec): BoundPrecompile[] {
  return [
    bindPrecompile(balance, view, spec),
    bindPrecompile(unspent, view, spec),
    bindPrecompile(transaction, view, spec),
    bindPrecompile(confirmations, view, spec),
    bindPrecompile(lastHeader, view, spec),
    bindPrecompile(headerAt, view, spec),
    bindPrecompile(script, view, spec),
    bindPrecompile(input, view, spec),
    bindPrecompile(output, view, spec),
    bindPrecompile(witness, view, spec),
  ];
}
