import type { Common } from '@ethereumjs/common';
import { EMPTY_OMMERS_HASH, equal, toDigits } from '@hemid/protocol';
import type { EthereumBlock } from './block.ts';
import { type Header, hashOf } from './header.ts';
import { refuse } from './refusal.ts';

const MINIMUM = 131_072n;
const BOUND_DIVISOR = 2048n;
const LOWEST_FACTOR = -99n;
const BOMB_PERIOD = 100_000n;
/** Blocks by which forks have put off the difficulty bomb: EIP-2384, EIP-3554. */
const BOMB_DELAY = { berlin: 9_000_000n, london: 9_700_000n };

const MAX_OMMERS = 2;
const MAX_OMMER_DEPTH = 6;

/** Difficulty of the block after `parent` (EIP-100), with the bomb. */
export function nextDifficulty(header: Pick<Header, 'number' | 'timestamp'>, parent: Header, rules: Common): bigint {
  const hasOmmers = !equal(parent.ommersHash, EMPTY_OMMERS_HASH);
  const factor = (hasOmmers ? 2n : 1n) - (header.timestamp - parent.timestamp) / 9n;
  const next = parent.difficulty + (parent.difficulty / BOUND_DIVISOR) * (factor > LOWEST_FACTOR ? factor : LOWEST_FACTOR);
  const delay = rules.isActivatedEIP(1559) ? BOMB_DELAY.london : BOMB_DELAY.berlin;
  const period = (header.number > delay ? header.number - delay : 0n) / BOMB_PERIOD;
  const bombed = next + (period >= 2n ? 2n ** (period - 2n) : 0n);
  return bombed > MINIMUM ? bombed : MINIMUM;
}

/** A block of the chain that ommers are judged against. */
export interface Ancestor {
  header: Header;
  hash: Uint8Array;
  ommers: readonly Header[];
  parent?: Ancestor;
}

/**
 * Refuses ommers that are not children of one of the last ancestors, are ancestors themselves or have been named
 * before. `check` judges an ommer's header after its parent.
 */
export function checkOmmers(block: EthereumBlock, parent: Ancestor, check: (header: Header, parent: Header) => void): void {
  if (block.ommers.length > MAX_OMMERS) throw refuse('too many ommers');
  const taken = new Set([toDigits(block.hash)]);
  const ancestors = new Map<string, Header>();
  let at: Ancestor | undefined = parent;
  for (let depth = 0; at !== undefined && depth <= MAX_OMMER_DEPTH; depth += 1, at = at.parent) {
    ancestors.set(toDigits(at.hash), at.header);
    taken.add(toDigits(at.hash));
    for (const ommer of at.ommers) taken.add(toDigits(hashOf(ommer)));
  }
  for (const ommer of block.ommers) {
    const hash = toDigits(hashOf(ommer));
    if (taken.has(hash)) throw refuse('an ommer that is known already');
    taken.add(hash);
    const parentOfOmmer = ancestors.get(toDigits(ommer.parentHash));
    if (parentOfOmmer === undefined || equal(ommer.parentHash, block.header.parentHash)) throw refuse('an ommer that is no ommer');
    check(ommer, parentOfOmmer);
  }
}

/** What miners of the block and of its ommers are paid, in wei; `reward` is that of a block without ommers. */
export function rewardsOf(block: EthereumBlock, reward: bigint): { address: Uint8Array; wei: bigint }[] {
  const { number, beneficiary } = block.header;
  const ommers = block.ommers.map((ommer) => ({ address: ommer.beneficiary, wei: (reward * (8n + ommer.number - number)) / 8n }));
  return [...ommers, { address: beneficiary, wei: reward + (reward / 32n) * BigInt(block.ommers.length) }];
}
