import type { FinalityProof, PlacedL2Header } from '@hemid/chain';

/** A finalized block, and what it rests on; nothing at the genesis. */
export interface Finalized {
  block: PlacedL2Header;
  proof: FinalityProof | undefined;
}

export interface FinalizedInput {
  /** What is finalized now, as far as the canonical chain has it. */
  current: Finalized;
  /** N − 1 for the highest super-final keystone N of the canonical chain. */
  candidate: Finalized;
  /** Whether the publication that the current one rests on is still in the same block of the best Bitcoin chain. */
  stands: boolean;
  /** Whether a conflict is reported. */
  isFrozen: boolean;
}

/**
 * The finalized block after a change of either chain (protocol section 8): it follows the candidate, does not move back
 * while what it rests on stands, and does not move forward in a conflict.
 */
export function nextFinalized({ current, candidate, stands, isFrozen }: FinalizedInput): Finalized {
  const isAhead = candidate.block.header.number > current.block.header.number;
  if (isFrozen) return stands || isAhead ? current : candidate;
  return stands && !isAhead ? current : candidate;
}
