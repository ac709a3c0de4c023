import type { BitcoinTip, Publication } from './bitcoin-view.ts';

/** A publication counts only this many blocks above the Bitcoin tip that its keystone names (protocol section 8). */
export const COUNTING_DEPTH = 144;

/**
 * Whether a publication counts: the Bitcoin tip named by the keystone's block is an ancestor of the publication's
 * block, at most {@link COUNTING_DEPTH} below it.
 *
 * @param named the tip named in the keystone block, or `undefined` when it is not on the publication's Bitcoin chain.
 */
export function counts(publication: Pick<Publication, 'height'>, named: BitcoinTip | undefined): boolean {
  if (named === undefined) return false;
  const depth = publication.height - named.height;
  return depth > 0 && depth <= COUNTING_DEPTH;
}
