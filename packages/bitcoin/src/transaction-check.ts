import { toDigits } from '@hemid/protocol';
import type { Transaction } from 'bitcoinjs-lib';

/** No output, and no sum of outputs, is above this many sats. */
export const MAX_MONEY_SATS = 2_100_000_000_000_000n;
export const MAX_BLOCK_WEIGHT = 4_000_000;

/** What is wrong with a transaction by itself (Core's CheckTransaction), or `undefined`. */
export function checkTransaction(tx: Transaction): string | undefined {
  if (tx.ins.length === 0) return 'bad-txns-vin-empty';
  if (tx.outs.length === 0) return 'bad-txns-vout-empty';
  if (tx.byteLength(false) * 4 > MAX_BLOCK_WEIGHT) return 'bad-txns-oversize';
  let total = 0n;
  for (const { value } of tx.outs) {
    if (value < 0n) return 'bad-txns-vout-negative';
    if (value > MAX_MONEY_SATS) return 'bad-txns-vout-toolarge';
    total += value;
    if (total > MAX_MONEY_SATS) return 'bad-txns-txouttotal-toolarge';
  }
  if (new Set(tx.ins.map(({ hash, index }) => `${toDigits(hash)}:${index}`)).size !== tx.ins.length) return 'bad-txns-inputs-duplicate';
  if (isCoinbase(tx)) {
    const size = tx.ins[0]?.script.length ?? 0;
    return size < 2 || size > 100 ? 'bad-cb-length' : undefined;
  }
  return tx.ins.some(isNullInput) ? 'bad-txns-prevout-null' : undefined;
}

const isNullInput = ({ hash, index }: { hash: Uint8Array; index: number }): boolean => index === 0xffffffff && hash.every((byte) => byte === 0);

/** Whether a transaction has the form of a coinbase. */
export function isCoinbase(tx: Transaction): boolean {
  return tx.ins.length === 1 && tx.ins.every(isNullInput);
}
