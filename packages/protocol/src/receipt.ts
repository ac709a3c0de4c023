import { keccak_256 } from '@noble/hashes/sha3.js';
import { fromMinimal, toMinimal } from './bytes.ts';
import { fail } from './errors.ts';
import { decodeRlp } from './l2-header.ts';
import { encodeRlp } from './rlp.ts';

/** An EVM log. */
export interface Log {
  /** 20 bytes. */
  address: Uint8Array;
  topics: Uint8Array[];
  data: Uint8Array;
}

/** What executing one transaction left behind. */
export interface Receipt {
  /** Transaction type, 0 … 4 or 0x7C … 0x7F. */
  type: number;
  succeeded: boolean;
  gasUsed: bigint;
  cumulativeGasUsed: bigint;
  logs: Log[];
  /** The sender's nonce before the transaction; for system transactions it stands nowhere else. */
  nonce: bigint;
  /** Wei per gas really paid; 0 for system transactions, but a development call's own. */
  effectiveGasPrice: bigint;
}

/** The 2048-bit bloom of logs (Yellow Paper 4.3.1), 256 bytes. */
export function bloomOf(logs: readonly Log[]): Uint8Array {
  const bloom = new Uint8Array(256);
  for (const item of logs.flatMap((log) => [log.address, ...log.topics])) {
    const digest = keccak_256(item);
    for (const i of [0, 2, 4]) {
      const bit = (((digest[i] ?? 0) << 8) | (digest[i + 1] ?? 0)) & 2047;
      const index = 255 - (bit >> 3);
      bloom[index] = (bloom[index] ?? 0) | (1 << (bit & 7));
    }
  }
  return bloom;
}

const logItems = (log: Log): [Uint8Array, Uint8Array[], Uint8Array] => [log.address, log.topics, log.data];

/** The receipt as receiptsRoot commits to it: type ‖ RLP [status, cumulative gas, bloom, logs]. */
export function encodeConsensusReceipt(receipt: Receipt): Uint8Array {
  return encodeReceiptWith(receipt, bloomOf(receipt.logs));
}

/** {@link encodeConsensusReceipt} of a receipt whose bloom is known. */
export function encodeReceiptWith(receipt: Receipt, bloom: Uint8Array): Uint8Array {
  const fields = [toMinimal(receipt.succeeded ? 1 : 0), toMinimal(receipt.cumulativeGasUsed), bloom, receipt.logs.map(logItems)];
  return encodeRlp(fields, receipt.type === 0 ? undefined : receipt.type);
}

/** All receipts of a block as they are stored. */
export function encodeReceipts(receipts: readonly Receipt[]): Uint8Array {
  return encodeRlp(
    receipts.map((r) => [
      toMinimal(r.type),
      toMinimal(r.succeeded ? 1 : 0),
      toMinimal(r.gasUsed),
      toMinimal(r.cumulativeGasUsed),
      toMinimal(r.nonce),
      toMinimal(r.effectiveGasPrice),
      r.logs.map(logItems),
    ]),
  );
}

const asList = (item: unknown, what: string): unknown[] => {
  if (!Array.isArray(item)) throw fail('protocol/encoding', `${what} is not a list`);
  return item;
};
const asBytes = (item: unknown): Uint8Array => {
  if (!(item instanceof Uint8Array)) throw fail('protocol/encoding', 'a field of a receipt is not bytes');
  return item;
};

function logFromItems(item: unknown): Log {
  const [address, topics, data, ...more] = asList(item, 'a log');
  if (more.length > 0) throw fail('protocol/encoding', 'a log has three fields');
  return { address: asBytes(address), topics: asList(topics, 'the topics').map(asBytes), data: asBytes(data) };
}

function receiptFromItems(item: unknown): Receipt {
  const [type, status, gasUsed, cumulative, nonce, price, logs, ...more] = asList(item, 'a receipt');
  if (more.length > 0) throw fail('protocol/encoding', 'a receipt has seven fields');
  const integer = (field: unknown, size: number): bigint => fromMinimal(asBytes(field), size);
  const succeeded = integer(status, 1);
  if (succeeded > 1n) throw fail('protocol/encoding', 'the status of a receipt is 0 or 1');
  return {
    type: Number(integer(type, 1)),
    succeeded: succeeded === 1n,
    gasUsed: integer(gasUsed, 8),
    cumulativeGasUsed: integer(cumulative, 8),
    nonce: integer(nonce, 8),
    effectiveGasPrice: integer(price, 32),
    logs: asList(logs, 'the logs').map(logFromItems),
  };
}

/** The inverse of {@link encodeReceipts}; @throws `protocol/encoding`. */
export function decodeReceipts(bytes: Uint8Array): Receipt[] {
  return asList(decodeRlp(bytes, 'a receipts row'), 'a receipts row').map(receiptFromItems);
}
