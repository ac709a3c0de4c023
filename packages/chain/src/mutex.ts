/** Runs one asynchronous function at a time, in the order asked. */
export interface Mutex {
  run<T>(fn: () => Promise<T>): Promise<T>;
}

/** Creates a {@link Mutex}. A failure of one function does not touch the next. */
export function createMutex(): Mutex {
  let tail: Promise<unknown> = Promise.resolve();
  return {
    run(fn) {
      const result = tail.then(fn, fn);
      tail = result.catch(() => undefined);
      return result;
    },
  };
}
