import { hashKeystone, type Keystone, toDisplay, toKeystoneId } from '@hemid/protocol';
import type { Outlook } from './outlook.ts';
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
 * - `due`: none of these.
 */
export type Standing = 'published' | 'pending' | 'unanchored' | 'stale' | 'due';

/** How many of the newest keystones the miner looks at. */
export const MAX_KEYSTONES = 12;

/** A keystone with what its block says. */
export function toCandidate(keystone: Keystone, origin: KeystoneOrigin): Candidate {
  return { keystone, id: toKeystoneId(hashKeystone(keystone)), origin };
}

/** How a keystone stands, as Bitcoin looks now. */
export function standingOf({ id, origin }: Candidate, { tipHeight, heights, confirmed, pending }: Outlook): Standing {
  const named = heights.get(toDisplay(origin.bitcoinTip));
  const counts = (height: number | undefined): boolean =>
    named !== undefined && height !== undefined && height > named && height - named <= KEYSTONE_WINDOW;
  if (confirmed.some(({ keystoneId, height }) => keystoneId === id && counts(height))) return 'published';
  if (pending.some(({ sightings }) => sightings.some(({ keystoneId }) => keystoneId === id))) return 'pending';
  if (named === undefined) return 'unanchored';
  return tipHeight + 1 - named > KEYSTONE_WINDOW ? 'stale' : 'due';
}

/** The keystone to publish next: the newest that is due, and not among those `tried` already in this round. */
export function nextDue(candidates: readonly Candidate[], outlook: Outlook, tried: ReadonlySet<string>): Candidate | undefined {
  return [...candidates]
    .sort((a, b) => b.keystone.l2BlockNumber - a.keystone.l2BlockNumber)
    .find((candidate) => !tried.has(candidate.id) && standingOf(candidate, outlook) === 'due');
}
