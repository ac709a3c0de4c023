import { fail } from './errors.ts';

/** A row of the chain in a LevelDB batch. */
interface RowBatch {
  put(key: Uint8Array, value: Uint8Array): unknown;
  del(key: Uint8Array): unknown;
}

/**
 * Numbers the batches of a database, each in a row that the batch itself writes. LevelDB passes over what it cannot read
 * in its log, and takes a manifest that was cut off for an older one: then batches in the middle are missing while later
 * ones are there, and this chain has a gap.
 */
export interface CommitChain {
  /** Adds the next number to a batch; batches must reach the disk in this order. */
  extend(batch: RowBatch): void;
}

/** Behind no table's prefix. */
const PREFIX = 0x00;
/** How many numbers are kept: more than the log of one write buffer usually holds. */
const KEPT = 16_384n;
const NOTHING = new Uint8Array();

function keyOf(number: bigint): Uint8Array {
  const key = new Uint8Array(9);
  key[0] = PREFIX;
  new DataView(key.buffer).setBigUint64(1, number);
  return key;
}

/** The rows of a chain, as a range of LevelDB. */
export const COMMIT_RANGE = { gte: Uint8Array.of(PREFIX), lt: Uint8Array.of(PREFIX + 1) };

/** Reads the chain of a database. @throws `store/corrupt` when a batch is missing. */
export async function openCommitChain(keys: AsyncIterable<Uint8Array>, directory: string): Promise<CommitChain> {
  let last = 0n;
  let rows = 0n;
  for await (const key of keys) {
    last = new DataView(key.buffer, key.byteOffset, key.length).getBigUint64(1);
    rows += 1n;
  }
  if (rows !== (last < KEPT ? last : KEPT)) {
    throw fail(
      'store/corrupt',
      `${directory} is damaged (of its last ${last < KEPT ? last : KEPT} writes only ${rows} are there). Move the directory away and let the node sync again from its upstream`,
    );
  }
  return {
    extend(batch) {
      last += 1n;
      batch.put(keyOf(last), NOTHING);
      if (last > KEPT) batch.del(keyOf(last - KEPT));
    },
  };
}
