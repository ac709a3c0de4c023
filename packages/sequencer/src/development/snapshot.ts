import type { Chain, PlacedL2Header } from '@hemid/chain';
import { type DevelopmentTransaction, equal, toHex } from '@hemid/protocol';
import type { Pool } from '../pool.ts';
import type { CallQueue } from './call-queue.ts';
import type { ChainTime } from './chain-time.ts';

/** States of the chain and of what waits that can be gone back to, once each. */
export interface Snapshots {
  /** @returns its id, from 1 on. */
  take(): number;
  /**
   * Takes the blocks since back and forgets this snapshot and the later ones.
   *
   * @returns `false` when there is no such snapshot, or its block is not on the chain any more.
   * @throws `hvm/state-pruned` when it is further back than the state is kept.
   */
  revert(id: number): Promise<boolean>;
  /** Takes all blocks back, and what waits, and forgets all snapshots. @throws `hvm/state-pruned` as {@link Snapshots.revert}. */
  clear(): Promise<void>;
}

interface Snapshot {
  head: PlacedL2Header;
  pooled: Uint8Array[];
  calls: DevelopmentTransaction[];
}

export interface SnapshotDeps {
  chain: Chain;
  pool: Pool;
  calls: CallQueue;
  time: ChainTime;
}

/** Creates the {@link Snapshots} of a development chain; they do not outlast a restart. */
export function createSnapshots({ chain, pool, calls, time }: SnapshotDeps): Snapshots {
  const taken = new Map<number, Snapshot>();
  let last = 0;

  const waiting = () => Object.values(pool.content()).flatMap((content) => [...content.values()].flat());

  /** The pool as it was: what blocks have released since is gone too. */
  async function restorePool(pooled: readonly Uint8Array[]): Promise<void> {
    await pool.settled();
    const wanted = new Set(pooled.map(toHex));
    const present = waiting();
    for (const transaction of present) if (!wanted.has(toHex(transaction.raw))) pool.drop(transaction);
    await pool.restore(pooled.filter((raw) => !present.some((one) => equal(one.raw, raw))));
  }

  async function goBack(to: Snapshot): Promise<void> {
    const count = chain.head('latest').header.number - to.head.header.number;
    if (count > 0n) await chain.rollback(count, { slots: 'freed' });
    calls.replace(to.calls);
    await restorePool(to.pooled);
  }

  return {
    take() {
      last += 1;
      taken.set(last, { head: chain.head('latest'), pooled: waiting().map(({ raw }) => raw), calls: calls.all() });
      return last;
    },
    async revert(id) {
      const snapshot = taken.get(id);
      if (snapshot === undefined || !chain.isCanonical(snapshot.head)) return false;
      await goBack(snapshot);
      for (const later of [...taken.keys()]) if (later >= id) taken.delete(later);
      time.reset(snapshot.head.header.timestamp);
      return true;
    },
    async clear() {
      await goBack({ head: chain.head('earliest'), pooled: [], calls: [] });
      taken.clear();
      time.restart();
    },
  };
}
