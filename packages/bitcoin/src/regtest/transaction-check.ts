import type { Transaction } from 'bitcoinjs-lib';
import { MAX_BLOCK_WEIGHT, MAX_MONEY_SATS } from './consensus.ts';
import { outpointKey, type RegtestTransaction } from './transaction.ts';

const FINAL_SEQUENCE = 0xffffffff;
const LOCKTIME_THRESHOLD = 500_000_000;
const SEQUENCE_DISABLED = 0x80000000;
const SEQUENCE_IS_TIME = 0x00400000;
const SEQUENCE_MASK = 0x0000ffff;
/** Relative lock times in time count in units of 512 seconds. */
const SEQUENCE_TIME_SHIFT = 9;

/** What is wrong with a transaction by itself (Core's CheckTransaction), or `undefined`. */
export function checkTransaction({ tx }: RegtestTransaction): string | undefined {
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
  if (new Set(tx.ins.map(({ hash, index }) => outpointKey(hash, index))).size !== tx.ins.length) return 'bad-txns-inputs-duplicate';
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

/** The block a transaction would stand in. */
export interface BlockPlace {
  height: number;
  /** Median time of its parent, seconds (BIP113). */
  medianTime: number;
}

/** Whether the lock time lets the transaction into the block. */
export function isFinal(tx: Transaction, { height, medianTime }: BlockPlace): boolean {
  if (tx.locktime === 0) return true;
  if (tx.locktime < (tx.locktime < LOCKTIME_THRESHOLD ? height : medianTime)) return true;
  return tx.ins.every(({ sequence }) => sequence === FINAL_SEQUENCE);
}

/** Where the coin of an input comes from. */
export interface CoinAge {
  height: number;
  /** Median time of the parent of the coin's block, seconds: asked only when the input is locked by time. */
  medianTimeBefore(): number;
}

/** Whether the relative lock times (BIP68) of all inputs let the transaction into the block. */
export function isSequenceFinal(tx: Transaction, ages: readonly CoinAge[], { height, medianTime }: BlockPlace): boolean {
  if (tx.version < 2) return true;
  return tx.ins.every(({ sequence }, i) => {
    const age = ages[i];
    if (age === undefined || (sequence & SEQUENCE_DISABLED) !== 0) return true;
    const span = sequence & SEQUENCE_MASK;
    if ((sequence & SEQUENCE_IS_TIME) === 0) return age.height + span <= height;
    return age.medianTimeBefore() + (span << SEQUENCE_TIME_SHIFT) <= medianTime;
  });
}
