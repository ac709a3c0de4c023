import { HemidError } from '@hemid/protocol';
import type { Batch, Store, Table } from '@hemid/store';

/** Which write fails, and what of it reaches the disk. A batch of LevelDB is there as a whole or not at all. */
export interface FaultPlan {
  /** Counted from 1 over all batches; `undefined` counts only. */
  write: number | undefined;
  /**
   * `lost`: nothing was written. `torn`: all of it was, but the caller is told that it failed. `half`: what no disk
   * under LevelDB does, to show that a test would notice.
   */
  kind: 'lost' | 'torn' | 'half';
}

/** A store whose writes can fail. */
export interface FaultyStore extends Store {
  /** Batches committed so far, the failed one included. */
  writes(): number;
}

/** A store over `store` that fails as planned; after the fault every further write fails too, as on a full disk. */
export function createFaultyStore(store: Store, plan: FaultPlan): FaultyStore {
  let writes = 0;

  function fault(): HemidError {
    return new HemidError('store/write-failed', 'fatal', `write ${plan.write} was made to fail (${plan.kind})`);
  }

  function batch(): Batch {
    const inner = store.batch();
    const half = store.batch();
    let rows = 0;
    const isHalf = (): boolean => {
      rows += 1;
      return rows % 2 === 1;
    };
    return {
      ...inner,
      put<K, V>(table: Table<K, V>, key: K, value: V) {
        inner.put(table, key, value);
        if (isHalf()) half.put(table, key, value);
      },
      del<K, V>(table: Table<K, V>, key: K) {
        inner.del(table, key);
        if (isHalf()) half.del(table, key);
      },
      async commit() {
        writes += 1;
        if (plan.write === undefined || writes < plan.write) return inner.commit();
        if (writes === plan.write && plan.kind !== 'lost') await (plan.kind === 'torn' ? inner : half).commit();
        throw fault();
      },
    };
  }

  return { ...store, batch, writes: () => writes };
}
