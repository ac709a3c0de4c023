import { decodeRlp, encodeRlp, equal } from '@hemid/protocol';
import { layout, type Store } from '@hemid/store';
import { Transaction } from 'bitcoinjs-lib';
import { fail } from '../errors.ts';
import { readMark } from '../vault-spend.ts';
import { type Batch, toUnsigned } from './batch.ts';

/** What this custodian has signed, on disk before anybody sees a signature. */
export interface SignedBatches {
  /**
   * Notes that a batch is about to be signed.
   *
   * @throws `tunnel/conflict` when one of its requests stands in another batch that was signed: nothing is paid twice.
   */
  note(batch: Batch): Promise<void>;
  /** Keeps the complete transaction, to send it again. */
  complete(firstId: bigint, raw: Uint8Array): Promise<void>;
  /** The latest complete transactions, newest first. */
  latest(count: number): Promise<Transaction[]>;
}

/** Batches back that may overlap with a new one; ids are paid in order. */
const LOOK_BACK = 64;

/** The {@link SignedBatches} of a store. */
export function createSignedBatches(store: Store): SignedBatches {
  async function* rows(limit: number): AsyncGenerator<{ firstId: bigint; unsigned: Uint8Array; raw: Uint8Array }> {
    for await (const [firstId, row] of store.range(layout.signedBatch, { reverse: true, limit })) {
      const [unsigned, raw] = decodeRlp(row, 'a signed batch') as [Uint8Array, Uint8Array];
      yield { firstId, unsigned, raw };
    }
  }

  async function put(firstId: bigint, unsigned: Uint8Array, raw: Uint8Array): Promise<void> {
    const batch = store.batch();
    batch.put(layout.signedBatch, firstId, encodeRlp([unsigned, raw]));
    await batch.commit();
  }

  return {
    async note(batch) {
      const unsigned = toUnsigned(batch).toBuffer();
      const [first, last] = [batch.requests[0]?.id ?? 0n, batch.requests[batch.requests.length - 1]?.id ?? 0n];
      for await (const known of rows(LOOK_BACK)) {
        if (equal(known.unsigned, unsigned)) return;
        const count = readMark(Transaction.fromBuffer(known.unsigned).outs)?.count ?? 0;
        if (known.firstId <= last && known.firstId + BigInt(count) > first) {
          const why = `requests ${first} to ${last} overlap with a batch from ${known.firstId} on that was signed, and differs`;
          throw fail('tunnel/conflict', `${why}: nothing is signed, a person must look`);
        }
      }
      await put(first, unsigned, new Uint8Array());
    },
    async complete(firstId, raw) {
      for await (const known of rows(LOOK_BACK)) if (known.firstId === firstId && known.raw.length === 0) await put(firstId, known.unsigned, raw);
    },
    async latest(count) {
      const found: Transaction[] = [];
      for await (const { raw } of rows(count)) if (raw.length > 0) found.push(Transaction.fromBuffer(raw));
      return found;
    },
  };
}
