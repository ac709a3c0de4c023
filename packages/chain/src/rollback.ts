import { type ChainSpec, slotAt, toHex } from '@hemid/protocol';
import { type Batch, layout } from '@hemid/store';
import type { BlockArchive } from './block-archive.ts';
import { fail } from './errors.ts';
import type { PlacedL2Header } from './ports.ts';

/** What a rollback did. */
export interface Rollback {
  /** The new head. */
  head: PlacedL2Header;
  /** Canonical blocks that were taken back, from the old head down. */
  removed: PlacedL2Header[];
  /** How many blocks above the new head are forgotten, those of other branches included. */
  dropped: number;
}

/** What a rollback leaves of the slots of the blocks that it takes back. */
export interface RollbackOptions {
  slots: 'kept' | 'freed';
}

/**
 * Deletes every block above `target`, on all branches, and makes leaves of what is left of each. Slots that this node
 * sealed stay sealed: a block that is forgotten here may be known elsewhere.
 *
 * @returns the leaves, and how many blocks are gone.
 */
export function cutAbove(
  target: PlacedL2Header,
  { archive, leaves, batch }: { archive: BlockArchive; leaves: Iterable<PlacedL2Header>; batch: Batch },
): { leaves: PlacedL2Header[]; dropped: number } {
  const kept = new Map<string, PlacedL2Header>();
  const dropped = new Map<string, Uint8Array>();
  for (const leaf of leaves) {
    let block = leaf;
    while (block.header.number > target.header.number && !dropped.has(toHex(block.hash))) {
      dropped.set(toHex(block.hash), block.hash);
      block = archive.getHeader(block.header.parentHash);
    }
    batch.del(layout.leaf, leaf.hash);
    if (block.header.number <= target.header.number) kept.set(toHex(block.hash), block);
  }
  for (const hash of dropped.values()) archive.drop(hash, batch);
  for (const { hash, header } of kept.values()) batch.put(layout.leaf, hash, header.number);
  return { leaves: [...kept.values()], dropped: dropped.size };
}

/** Lets blocks be sealed anew for the slots of blocks that nobody shall know any more. @throws `chain/slot-sealed` but on development chains. */
export function freeSlots(spec: ChainSpec, removed: readonly PlacedL2Header[], batch: Batch): void {
  if (spec.genesis.development !== true) throw fail('chain/slot-sealed', 'slots are freed on development chains alone');
  for (const { header } of removed) batch.del(layout.sealedSlot, slotAt(spec, header.timestamp) ?? 0n);
}
