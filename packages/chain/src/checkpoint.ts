import { equal, toHex } from '@hemid/protocol';
import { fail } from './errors.ts';
import type { PlacedL2Header } from './ports.ts';

/** A block that an operator vouches for (protocol section 8): branches that do not contain it are not chosen. */
export interface Checkpoint {
  number: bigint;
  hash: Uint8Array;
}

export interface CheckpointDeps {
  /** Any known header. */
  header(hash: Uint8Array): PlacedL2Header | undefined;
  ancestorOf(block: PlacedL2Header, number: bigint): PlacedL2Header;
}

/** @throws `chain/checkpoint` (fatal) when no chain with this genesis can contain the checkpoint. */
export function assertCheckpoint(checkpoint: Checkpoint, genesis: PlacedL2Header, known: PlacedL2Header | undefined): void {
  const { number, hash } = checkpoint;
  if (number === 0n && !equal(hash, genesis.hash)) {
    throw fail('chain/checkpoint', `the checkpoint names ${toHex(hash)} as block 0, but the genesis of this chain is ${toHex(genesis.hash)}`);
  }
  if (known !== undefined && known.header.number !== number) {
    throw fail('chain/checkpoint', `the checkpoint names ${toHex(hash)} as block ${number}, but that is block ${known.header.number}`);
  }
}

/** Whether a branch that ends in `tip` contains the checkpoint, or may still come to. */
export function agrees(checkpoint: Checkpoint, tip: PlacedL2Header, { header, ancestorOf }: CheckpointDeps): boolean {
  if (tip.header.number >= checkpoint.number) return equal(ancestorOf(tip, checkpoint.number).hash, checkpoint.hash);
  const known = header(checkpoint.hash);
  return known === undefined || equal(ancestorOf(known, tip.header.number).hash, tip.hash);
}

/**
 * The ends of branches that may be chosen: the leaves that agree with the checkpoint. While none contains it and it is
 * not here, also what the others have below its number, for it may grow there.
 */
export function candidatesOf(checkpoint: Checkpoint, leaves: readonly PlacedL2Header[], deps: CheckpointDeps): PlacedL2Header[] {
  const agreeing = leaves.filter((leaf) => agrees(checkpoint, leaf, deps));
  if (deps.header(checkpoint.hash) !== undefined) return agreeing;
  const below = leaves.filter((leaf) => leaf.header.number >= checkpoint.number).map((leaf) => deps.ancestorOf(leaf, checkpoint.number - 1n));
  return [...new Map([...agreeing, ...below].map((block) => [toHex(block.hash), block])).values()];
}
