/** Says when a thread may be ended: not while it makes something of LevelDB's, which would then stay for ever. Shared by two threads. */
export type EndLock = Int32Array;

const OUTSIDE = 0;
const INSIDE = 1;
const ENDING = 2;

/** Creates an {@link EndLock} of a thread that is about to start. */
export const createEndLock = (): EndLock => new Int32Array(new SharedArrayBuffer(4));

/** Does something during which this thread is not ended; one that is being ended does not come back. */
export function insideLock<T>(lock: EndLock, make: () => T): T {
  while (Atomics.compareExchange(lock, 0, OUTSIDE, INSIDE) === ENDING) Atomics.wait(lock, 0, ENDING);
  try {
    return make();
  } finally {
    Atomics.store(lock, 0, OUTSIDE);
  }
}

/** Whether the thread may be ended now; if so, it does nothing inside any more. */
export const mayEnd = (lock: EndLock): boolean => Atomics.compareExchange(lock, 0, OUTSIDE, ENDING) !== INSIDE;
