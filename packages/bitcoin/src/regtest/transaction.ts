import { sha256d, toDisplay } from '@hemid/protocol';
import { Transaction } from 'bitcoinjs-lib';

/** A decoded transaction with its identities. Hashes are in internal order. */
export interface RegtestTransaction {
  tx: Transaction;
  /** As it came in, with witness. */
  raw: Uint8Array;
  txid: Uint8Array;
  /** Of {@link raw}: BIP141's wtxid. */
  wtxid: Uint8Array;
  /** {@link txid} in display order: the key of maps. */
  id: string;
  weight: number;
}

/** A transaction's virtual size in vbytes (BIP141), from its weight. */
export const virtualSize = (weight: number): number => Math.ceil(weight / 4);

/** The transaction that `raw` is, the bytes fully used and canonical; `undefined` if they are none. */
export function readTransaction(raw: Uint8Array): RegtestTransaction | undefined {
  try {
    return toRegtestTransaction(Transaction.fromBuffer(raw), raw);
  } catch {
    return undefined;
  }
}

/** Adds the identities to a transaction; `raw`, if given, must be its exact serialisation. */
export function toRegtestTransaction(tx: Transaction, raw?: Uint8Array): RegtestTransaction {
  const full = tx.toBuffer();
  if (raw !== undefined && !Buffer.from(raw).equals(full)) throw new Error('not in canonical form');
  const txid = tx.getHash();
  return {
    tx,
    raw: full,
    txid,
    wtxid: tx.hasWitnesses() ? sha256d(full) : txid,
    id: toDisplay(txid),
    weight: tx.weight(),
  };
}

/** The key of an output in maps: the spent transaction's id in display order and the index. */
export const outpointKey = (txid: Uint8Array, vout: number): string => `${toDisplay(txid)}:${vout}`;
