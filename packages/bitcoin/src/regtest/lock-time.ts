import type { Transaction } from 'bitcoinjs-lib';

const FINAL_SEQUENCE = 0xffffffff;
const LOCKTIME_THRESHOLD = 500_000_000;
const SEQUENCE_DISABLED = 0x80000000;
const SEQUENCE_IS_TIME = 0x00400000;
const SEQUENCE_MASK = 0x0000ffff;
/** Relative lock times in time count in units of 512 seconds. */
const SEQUENCE_TIME_SHIFT = 9;

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
