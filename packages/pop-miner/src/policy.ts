import { hashKeystone, type Keystone, toDisplay, toKeystoneId } from '@hemid/protocol';
import type { Family } from './family.ts';
import type { Outlook, PendingTransaction } from './outlook.ts';
import type { KeystoneOrigin } from './ports.ts';
import { KEYSTONE_WINDOW } from './sighting.ts';

/** A keystone that asks to be published. */
export interface Candidate {
  keystone: Keystone;
  /** Abbreviated hash, display order. */
  id: string;
  origin: KeystoneOrigin;
}

/**
 * How a keystone stands:
 *
 * - `published`: a payable, counting publication, anybody's, is on the best chain;
 * - `pending`: a publication of the miner's own waits in the mempool;
 * - `unanchored`: the Bitcoin tip that it names is not on the best chain of the miner's Bitcoin node, or far below;
 * - `stale`: that tip is so far below that a publication in the next block would not count;
 * - `old`: it was made longer ago than the miner cares for;
 * - `due`: none of these.
 */
export type Standing = 'published' | 'pending' | 'unanchored' | 'stale' | 'old' | 'due';

/** What makes a keystone `old`. */
export interface AgeLimit {
  nowMs: number;
  maxAgeMs: number;
}

/** When a transaction of the miner's is helped along. */
export interface Patience {
  /** Sats per 1000 vbytes: what is needed now to be mined in time. */
  rate: bigint;
  /** Blocks that it has waited without being mined. */
  blocks: number;
}

/** What decides whether a transaction is stuck. */
export interface StuckRequest {
  family: Family;
  patience: Patience;
}

/** A transaction that can be replaced by one that publishes the same. */
export type StuckTransaction = PendingTransaction & { popScript: Uint8Array };

/** What the miner does unless told otherwise: blocks until a publication is stuck, milliseconds until a keystone is old. */
export const POLICY_DEFAULTS = { stuckBlocks: 2, maxAgeMs: 4 * 3_600_000 };

/** How many of the newest keystones the miner looks at. */
export const MAX_KEYSTONES = 12;

/** A keystone with what its block says. */
export function toCandidate(keystone: Keystone, origin: KeystoneOrigin): Candidate {
  return { keystone, id: toKeystoneId(hashKeystone(keystone)), origin };
}

/** How a keystone stands, as Bitcoin looks now. */
export function standingOf({ id, origin }: Candidate, { tipHeight, heights, confirmed, pending }: Outlook, { nowMs, maxAgeMs }: AgeLimit): Standing {
  const named = heights.get(toDisplay(origin.bitcoinTip));
  const counts = (height: number | undefined): boolean =>
    named !== undefined && height !== undefined && height > named && height - named <= KEYSTONE_WINDOW;
  if (confirmed.some(({ keystoneId, height }) => keystoneId === id && counts(height))) return 'published';
  if (pending.some(({ sightings }) => sightings.some(({ keystoneId }) => keystoneId === id))) return 'pending';
  if (named === undefined) return 'unanchored';
  if (tipHeight + 1 - named > KEYSTONE_WINDOW) return 'stale';
  return nowMs - origin.timeMs > maxAgeMs ? 'old' : 'due';
}

/** Whether a publication of it in the next block would still be worth its fee. */
export function isWanted(candidate: Candidate, outlook: Outlook, limit: AgeLimit): boolean {
  return standingOf(candidate, { ...outlook, pending: [] }, limit) === 'due';
}

/** The newest keystones first. */
export function byNewest(a: Candidate, b: Candidate): number {
  return b.keystone.l2BlockNumber - a.keystone.l2BlockNumber;
}

/**
 * The transactions of the miner's that are to be replaced if anything is to become of them: they have waited long
 * enough, pay too little, and nothing rests on them, so that no other keystone is dropped. The cheapest first.
 */
export function stuckTransactions({ tipHeight, pending }: Outlook, { family, patience }: StuckRequest): StuckTransaction[] {
  const isStuck = (end: PendingTransaction): end is StuckTransaction =>
    end.isOwn &&
    end.popScript !== undefined &&
    family.isLeaf(end) &&
    tipHeight - end.sinceHeight >= patience.blocks &&
    family.debtOf(end, patience.rate) > 0n;
  const debtOf = (end: PendingTransaction): number => Number(family.debtOf(end, patience.rate));
  return pending.filter(isStuck).sort((a, b) => debtOf(a) - debtOf(b));
}

/**
 * The transaction to replace so that the publication of a keystone is mined, if there is one. It is the publication
 * itself, or when others rest on that, one at the end of the chain: its new fee pays for all below it.
 */
export function stuckPublication({ id }: Candidate, outlook: Outlook, request: StuckRequest): StuckTransaction | undefined {
  const { family, patience } = request;
  const restsOn = (end: PendingTransaction): boolean =>
    family.withAncestors(end).some(({ sightings }) => sightings.some(({ keystoneId }) => keystoneId === id));
  const isPaidFor = outlook.pending.some((end) => family.isLeaf(end) && restsOn(end) && family.debtOf(end, patience.rate) === 0n);
  return isPaidFor ? undefined : stuckTransactions(outlook, request).find(restsOn);
}
