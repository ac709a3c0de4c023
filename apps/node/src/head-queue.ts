/** Runs what follows a head change one after the other, outside the chain's own lock. */
export interface HeadQueue {
  run(fn: () => Promise<void>): Promise<void>;
  /** Resolves when nothing waits any more. */
  settled(): Promise<void>;
}

/** Creates a {@link HeadQueue}; an error goes to `onFailure`. */
export function createHeadQueue(onFailure: (error: unknown) => void): HeadQueue {
  let tail: Promise<void> = Promise.resolve();
  return {
    run(fn) {
      const result = tail.then(fn);
      tail = result.catch(onFailure);
      return result.catch(() => undefined);
    },
    async settled() {
      let last: Promise<void> | undefined;
      while (last !== tail) {
        last = tail;
        await tail;
      }
    },
  };
}
