import type { Clock } from '@hemid/runtime';

/**
 * How much of its slot a block may be filled for. What comes behind the filling (roots, receipts, the write to disk)
 * takes time for each transaction too: a block that is not ready when its slot is over costs the next slot, so it is
 * cheaper to leave some transactions to the next block. Only how full a block is depends on it, never whether it is valid.
 */
export interface FillBudget {
  /** A block is begun. */
  start(): void;
  /** Whether there is time for another transaction behind `count`. */
  hasTime(count: number): boolean;
  /** The block holds `count` transactions and is finished from now on. */
  filled(count: number): void;
  /** The block is on disk. */
  done(): void;
}

/** Of the slot: the rest is for what else the node does. */
const SHARE = 0.95;
/** Fewer transactions say nothing about the time of each. */
const TELLING = 100;
/** What finishing takes for each transaction until it has been seen, milliseconds. */
const FIRST_TAIL_MS = 0.05;

/** Creates the budget of a builder with slots of `slotMs` milliseconds. */
export function createFillBudget(clock: Clock, slotMs: number): FillBudget {
  let tailMs = FIRST_TAIL_MS;
  let startedMs = 0;
  let last = { atMs: 0, count: 0 };
  return {
    start() {
      startedMs = clock.now();
    },
    hasTime: (count) => clock.now() - startedMs + count * tailMs < slotMs * SHARE,
    filled(count) {
      last = { atMs: clock.now(), count };
    },
    done() {
      if (last.count >= TELLING) tailMs = (tailMs + (clock.now() - last.atMs) / last.count) / 2;
    },
  };
}
