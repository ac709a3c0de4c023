import {
  type BitcoinHeader,
  concat,
  decodeBitcoinHeader,
  encodeBitcoinHeader,
  equal,
  HEADER_SIZE,
  hashBitcoinHeader,
  sha256d,
  toDisplay,
} from '@hemid/protocol';
import { Transaction } from 'bitcoinjs-lib';
import { merkleRoot } from '../block.ts';
import { type RegtestTransaction, toRegtestTransaction } from './transaction.ts';

/** A decoded block with its identities. */
export interface RegtestBlock {
  header: BitcoinHeader;
  headerBytes: Uint8Array;
  /** Internal order. */
  hash: Uint8Array;
  /** {@link hash} in display order: the key of maps. */
  id: string;
  transactions: RegtestTransaction[];
  raw: Uint8Array;
}

/** A number in Bitcoin's CompactSize form. */
export function encodeCompactSize(value: number): Uint8Array {
  if (value < 0xfd) return Uint8Array.of(value);
  if (value <= 0xffff) return Uint8Array.of(0xfd, value & 0xff, value >> 8);
  return Uint8Array.of(0xfe, value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, value >>> 24);
}

/** Reads a CompactSize of at most 32 bits; throws when it is longer than it must be. */
function readCompactSize(bytes: Uint8Array): { value: number; size: number } {
  const [first = 0xff, b1 = 0, b2 = 0, b3 = 0, b4 = 0] = bytes;
  const value = first < 0xfd ? first : first === 0xfd ? b1 + b2 * 0x100 : b1 + b2 * 0x100 + b3 * 0x10000 + b4 * 0x1000000;
  const canonical = encodeCompactSize(value);
  if (!equal(canonical, bytes.subarray(0, canonical.length))) throw new Error('not a canonical size');
  return { value, size: canonical.length };
}

/** The block that `raw` begins with, in canonical form, or `undefined`. Bytes behind it are ignored, as Core does. */
export function readBlock(raw: Uint8Array): RegtestBlock | undefined {
  try {
    const headerBytes = raw.slice(0, HEADER_SIZE);
    const count = readCompactSize(raw.subarray(HEADER_SIZE));
    const transactions: RegtestTransaction[] = [];
    let offset = HEADER_SIZE + count.size;
    for (let i = 0; i < count.value; i += 1) {
      const tx = Transaction.fromBuffer(raw.subarray(offset), true);
      const end = offset + tx.byteLength();
      transactions.push(toRegtestTransaction(tx, raw.subarray(offset, end)));
      offset = end;
    }
    const hash = hashBitcoinHeader(headerBytes);
    return { header: decodeBitcoinHeader(headerBytes), headerBytes, hash, id: toDisplay(hash), transactions, raw: raw.slice(0, offset) };
  } catch {
    return undefined;
  }
}

/** Puts a block together. */
export function toRegtestBlock(header: BitcoinHeader, transactions: RegtestTransaction[]): RegtestBlock {
  const headerBytes = encodeBitcoinHeader(header);
  const hash = hashBitcoinHeader(headerBytes);
  const raw = concat(headerBytes, encodeCompactSize(transactions.length), ...transactions.map((entry) => entry.raw));
  return { header, headerBytes, hash, id: toDisplay(hash), transactions, raw };
}

/** A block's size without witnesses and its weight (BIP141). */
export function measureBlock({ transactions, raw }: RegtestBlock): { strippedSize: number; weight: number } {
  const head = HEADER_SIZE + encodeCompactSize(transactions.length).length;
  const strippedSize = transactions.reduce((size, { tx }) => size + tx.byteLength(false), head);
  return { strippedSize, weight: strippedSize * 3 + raw.length };
}

const COMMITMENT_HEADER = Uint8Array.of(0x6a, 0x24, 0xaa, 0x21, 0xa9, 0xed);

/** The witness commitment in a coinbase (BIP141): the last output that looks like one, or `undefined`. */
export function readWitnessCommitment(coinbase: Transaction): Uint8Array | undefined {
  return coinbase.outs
    .map(({ script }) => script)
    .filter((script) => script.length >= 38 && equal(script.subarray(0, 6), COMMITMENT_HEADER))
    .at(-1)
    ?.subarray(6, 38);
}

/** The output script that commits to the witnesses of a block's transactions, the coinbase left out. */
export function encodeWitnessCommitment(transactions: readonly RegtestTransaction[], nonce: Uint8Array): Uint8Array {
  return concat(COMMITMENT_HEADER, witnessCommitment([new Uint8Array(32), ...transactions.map(({ wtxid }) => wtxid)], nonce));
}

/** BIP141's commitment hash; the coinbase's own wtxid counts as zero. */
export function witnessCommitment(wtxids: readonly Uint8Array[], nonce: Uint8Array): Uint8Array {
  return sha256d(concat(merkleRoot(wtxids).root, nonce));
}
