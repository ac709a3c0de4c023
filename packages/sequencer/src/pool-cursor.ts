import type { UserTransaction } from '@hemid/hvm';
import { tipAt } from './fee-order.ts';
import { createHeap } from './heap.ts';
import type { Pooled } from './pool-account.ts';

/** An ordered choice of transactions for one block, of those that were in the pool when it was opened. */
export interface PoolCursor {
  next(): UserTransaction | undefined;
  /** The transaction last given could not be taken: no later nonce of its sender will be given. */
  skipSender(): void;
}

export interface CursorSource {
  /** Heaps of the first transaction of each sender, in the order of `baseFee`; not changed any more. */
  heaps: readonly (readonly Pooled[])[];
  baseFee: bigint;
  /** Those that arrived later are left out, so that a choice ends. */
  lastArrival: number;
  /** The executable transaction of a sender with a nonce. */
  read(sender: string, nonce: bigint): Pooled | undefined;
}

/** A transaction that may be next; one that stands in a heap uncovers the two below it. */
interface Choice {
  pooled: Pooled;
  tip: bigint;
  heap: readonly Pooled[] | undefined;
  index: number;
  /** Where it stands among the choices. */
  place: number;
}

const isBetter = (a: Choice, b: Choice): boolean => a.tip > b.tip || (a.tip === b.tip && a.pooled.arrival < b.pooled.arrival);

/**
 * Opens a cursor: the highest tip first, nonces of a sender in order, ties by arrival. To give `k` transactions it looks
 * at no more than `3k` and leaves the pool as it is.
 */
export function createCursor({ heaps, baseFee, lastArrival, read }: CursorSource): PoolCursor {
  const choices = createHeap<'place', Choice>('place', isBetter);
  let last: Pooled | undefined;

  function offer(pooled: Pooled | undefined, heap?: readonly Pooled[], index = 0): void {
    if (pooled === undefined || pooled.arrival > lastArrival) return;
    const tip = tipAt(pooled, baseFee);
    if (tip >= 0n) choices.push({ pooled, tip, heap, index, place: -1 });
  }

  const uncover = (heap: readonly Pooled[], index: number): void => offer(heap[index], heap, index);
  for (const heap of heaps) uncover(heap, 0);

  return {
    next() {
      if (last !== undefined) offer(read(last.sender, last.nonce + 1n));
      last = undefined;
      for (let choice = choices.shift(); choice !== undefined; choice = choices.shift()) {
        const { pooled, heap, index } = choice;
        if (heap !== undefined) {
          uncover(heap, 2 * index + 1);
          uncover(heap, 2 * index + 2);
        }
        if (read(pooled.sender, pooled.nonce) !== pooled) continue;
        last = pooled;
        return pooled.transaction;
      }
      return undefined;
    },
    skipSender() {
      last = undefined;
    },
  };
}
