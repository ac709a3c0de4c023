import { RLP } from '@ethereumjs/rlp';
import { encodeRlp } from '@hemid/protocol';
import { type Clock, every, type Logger, type Loop, type Service } from '@hemid/runtime';
import { type Batch, layout, type Store } from '@hemid/store';
import type { Pool } from './pool.ts';
import type { Pooled } from './pool-account.ts';

export interface PoolJournalDeps {
  pool: Pool;
  store: Store;
  clock: Clock;
  log: Logger;
  /** Called with the error that ended the loop. */
  onFailure: (error: unknown) => void;
}

/** Keeps what waits in the pool on disk, so that it is there again after a restart. */
export interface PoolJournal extends Service {
  /** Writes what has changed since the last time. */
  flush(): Promise<void>;
}

const FLUSH_MS = 500;
/** Raw bytes in one row, about. */
const PARCEL_BYTES = 1 << 20;

/** One row: transactions that were written together. It goes as a whole, for taking single ones out would cost a write each. */
interface Parcel {
  readonly number: bigint;
  readonly size: number;
  /** Those that are still in the pool. */
  readonly waiting: Set<Pooled>;
}

/**
 * Creates the journal of a pool. New transactions are written in parcels, twice a second; a parcel of which less than
 * half waits still is given up, what waits of it goes into a new one. A transaction is thus written about once, and
 * mined ones cost no write of their own: at the next start the state refuses them.
 */
export function createPoolJournal(deps: PoolJournalDeps): PoolJournal {
  const { pool, store, clock, log } = deps;
  /** Taken and not on disk yet, in order of arrival. */
  const fresh = new Set<Pooled>();
  const parcelOf = new Map<Pooled, Parcel>();
  /** Rows to delete with the next write. */
  const sparse = new Set<Parcel>();
  let next = 0n;
  let loop: Loop | undefined;
  let unwatch = (): unknown => undefined;

  function removed(pooled: Pooled): void {
    fresh.delete(pooled);
    const parcel = parcelOf.get(pooled);
    if (parcel === undefined) return;
    parcelOf.delete(pooled);
    parcel.waiting.delete(pooled);
    if (parcel.waiting.size * 2 < parcel.size) sparse.add(parcel);
  }

  function giveUp(batch: Batch): void {
    for (const parcel of sparse) {
      for (const pooled of parcel.waiting) {
        parcelOf.delete(pooled);
        fresh.add(pooled);
      }
      batch.del(layout.pooled, parcel.number);
    }
    sparse.clear();
  }

  function write(transactions: Pooled[], batch: Batch): void {
    if (transactions.length === 0) return;
    const parcel: Parcel = { number: next, size: transactions.length, waiting: new Set(transactions) };
    next += 1n;
    for (const pooled of transactions) parcelOf.set(pooled, parcel);
    batch.put(layout.pooled, parcel.number, encodeRlp(transactions.map(({ transaction }) => transaction.raw)));
  }

  function writeFresh(batch: Batch): void {
    let transactions: Pooled[] = [];
    let bytes = 0;
    for (const pooled of fresh) {
      transactions.push(pooled);
      bytes += pooled.transaction.raw.length;
      if (bytes < PARCEL_BYTES) continue;
      write(transactions, batch);
      transactions = [];
      bytes = 0;
    }
    write(transactions, batch);
    fresh.clear();
  }

  async function flush(): Promise<void> {
    if (fresh.size === 0 && sparse.size === 0) return;
    const batch = store.batch();
    giveUp(batch);
    writeFresh(batch);
    await batch.commit();
  }

  function read(number: bigint, row: Uint8Array): Uint8Array[] {
    try {
      return RLP.decode(row) as Uint8Array[];
    } catch (error) {
      log.warn({ number, err: error }, 'transactions that waited in the pool cannot be read and are lost');
      return [];
    }
  }

  /** Hands what an earlier run left to the pool; it is written anew, and its old rows go in the same batch. */
  async function load(): Promise<void> {
    const raws: Uint8Array[] = [];
    for await (const [number, row] of store.range(layout.pooled)) {
      raws.push(...read(number, row));
      sparse.add({ number, size: 0, waiting: new Set() });
      next = number + 1n;
    }
    await pool.restore(raws);
    const { pending, queued } = pool.counts();
    if (raws.length > 0) log.info({ stored: raws.length, pending, queued }, 'transactions taken back into the pool');
    await flush();
  }

  return {
    name: 'pool-journal',
    flush,
    async start(signal) {
      unwatch = pool.watch({ added: (pooled) => fresh.add(pooled), removed });
      await load();
      loop = every(clock, FLUSH_MS, flush, signal);
      loop.done.catch(deps.onFailure);
    },
    async stop() {
      await loop?.done.catch(() => undefined);
      unwatch();
      await flush();
    },
  };
}
