import { HemidError } from '@hemid/protocol';
import type { Batch, Store } from '@hemid/store';

/** Which write fails, and what of it reaches the disk. A batch of LevelDB is there as a whole or not at all. */
export interface FaultPlan {
  /** Counted from 1 over all batches; `undefined` counts only. */
  write: number | undefined;
  /** `lost`: nothing was written. `torn`: all of it was, but the caller is told that it failed. */
  kind: 'lost' | 'torn';
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
    return {
      ...inner,
      async commit() {
        writes += 1;
        if (plan.write === undefined || writes < plan.write) return inner.commit();
        if (writes === plan.write && plan.kind === 'torn') await inner.commit();
        throw fault();
      },
    };
  }

  return { ...store, batch, writes: () => writes };
}
