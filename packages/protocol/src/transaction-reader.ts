import { sha256d } from './bitcoin-hash.ts';
import type { BitcoinInput, BitcoinOutput, BitcoinTransaction } from './bitcoin-transaction.ts';
import { equal } from './bytes.ts';

/** A transaction of a block, with the hash that covers its witnesses too. */
export interface ReadTransaction {
  transaction: BitcoinTransaction;
  /** Its part of the block, witnesses included. */
  raw: Uint8Array;
  hasWitness: boolean;
}

const NO_WITNESS: readonly Uint8Array[] = Object.freeze([]);
const ZERO = new Uint8Array(32);

/**
 * Reads the transactions of a raw block from `start` (behind the header) to its end, as Bitcoin Core's deserialiser
 * does: the shortest form of every count, no empty witness records, no unknown flags, nothing behind the last one.
 * Byte arrays are views into `raw`: nothing is copied.
 *
 * @param hash sha256d, for whoever has a faster one than JavaScript's.
 * @throws RangeError
 */
export function readTransactions(
  raw: Uint8Array,
  { start, hash = sha256d }: { start: number; hash?: (bytes: Uint8Array) => Uint8Array },
): ReadTransaction[] {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.length);
  let at = start;

  function compactSize(): number {
    const first = view.getUint8(at);
    at += 1;
    if (first < 0xfd) return first;
    if (first === 0xff) throw new RangeError('a count has 64 bits');
    const value = first === 0xfd ? view.getUint16(at, true) : view.getUint32(at, true);
    at += first === 0xfd ? 2 : 4;
    if (value < (first === 0xfd ? 0xfd : 0x1_0000)) throw new RangeError('a count is longer than it has to be');
    return value;
  }

  function bytes(size: number): Uint8Array {
    const from = at;
    at += size;
    if (at > raw.length) throw new RangeError('the block ends too early');
    return raw.subarray(from, at);
  }

  function uint32(): number {
    const value = view.getUint32(at, true);
    at += 4;
    return value;
  }

  function input(): BitcoinInput {
    const txid = bytes(32);
    const vout = uint32();
    const scriptSig = bytes(compactSize());
    return { txid, vout, scriptSig, sequence: uint32(), witness: NO_WITNESS as Uint8Array[] };
  }

  function output(): BitcoinOutput {
    const valueSats = view.getBigUint64(at, true);
    at += 8;
    return { valueSats, script: bytes(compactSize()) };
  }

  function witness(): Uint8Array[] {
    const elements: Uint8Array[] = [];
    for (let left = compactSize(); left > 0; left -= 1) elements.push(bytes(compactSize()));
    return elements;
  }

  function transaction(): ReadTransaction {
    const from = at;
    const version = uint32();
    const hasWitness = view.getUint8(at) === 0;
    if (hasWitness && view.getUint8(at + 1) !== 1) throw new RangeError('a transaction has no inputs, or unknown data');
    if (hasWitness) at += 2;
    const bodyStart = at;
    const inputs: BitcoinInput[] = [];
    for (let left = compactSize(); left > 0; left -= 1) inputs.push(input());
    if (inputs.length === 0) throw new RangeError('a transaction has no inputs');
    const outputs: BitcoinOutput[] = [];
    for (let left = compactSize(); left > 0; left -= 1) outputs.push(output());
    const bodyEnd = at;
    if (hasWitness) {
      for (const one of inputs) one.witness = witness();
      if (inputs.every((one) => one.witness.length === 0)) throw new RangeError('a transaction has a witness record without witnesses');
    }
    const locktime = uint32();
    const whole = raw.subarray(from, at);
    const txid = hash(hasWitness ? stripped(from, bodyStart, bodyEnd) : whole);
    const isCoinbase = inputs.length === 1 && equal((inputs[0] as BitcoinInput).txid, ZERO);
    return { transaction: { txid, version, locktime, isCoinbase, inputs, outputs }, raw: whole, hasWitness };
  }

  /** A transaction that was read up to `at`, without marker and witnesses (BIP-144). */
  function stripped(from: number, bodyStart: number, bodyEnd: number): Uint8Array {
    const body = bodyEnd - bodyStart;
    const target = new Uint8Array(8 + body);
    target.set(raw.subarray(from, from + 4));
    target.set(raw.subarray(bodyStart, bodyEnd), 4);
    target.set(raw.subarray(at - 4, at), 4 + body);
    return target;
  }

  const transactions: ReadTransaction[] = [];
  for (let left = compactSize(); left > 0; left -= 1) transactions.push(transaction());
  if (at !== raw.length) throw new RangeError('the block has trailing bytes');
  return transactions;
}
