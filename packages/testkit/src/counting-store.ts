import type { Store } from '@hemid/store';

/** A store that counts the rows it is asked for. */
export interface CountingStore extends Store {
  /** Rows read since the last call: each `get`, found or not, and each row of a range. */
  takeCount(): number;
}

/** Counts what is read of a store. */
export function createCountingStore(store: Store): CountingStore {
  let count = 0;
  return {
    ...store,
    get(table, key) {
      count += 1;
      return store.get(table, key);
    },
    async *range(table, range) {
      for await (const row of store.range(table, range)) {
        count += 1;
        yield row;
      }
    },
    takeCount() {
      const taken = count;
      count = 0;
      return taken;
    },
  };
}
