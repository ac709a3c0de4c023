import { toDisplay } from '@hemid/protocol';
import { type Coin, outpointKey } from './coin.ts';
import { createFamily } from './family.ts';
import type { Outlook } from './outlook.ts';

/** Which outputs a publication rests on, and by which transactions: `outpointKey` → txid, display order. */
export type Footprint = ReadonlyMap<string, string>;

/** What a new publication of a keystone has to do with an earlier one that vanished. */
export type Claim =
  | { kind: 'none' }
  /** This coin must be spent: then at most one of the two can ever be mined. */
  | { kind: 'coin'; coin: Coin }
  /** No coin does that now, but the earlier one is not dead yet. */
  | { kind: 'wait' };

/** What the publications that were seen in the mempool rested on, by keystone id. */
export interface Claims {
  /** Learns what is pending, and forgets all but these keystones. */
  update(outlook: Outlook, keystoneIds: ReadonlySet<string>): void;
  claimOf(keystoneId: string, outlook: Outlook): Claim;
}

/**
 * Keeps a keystone from being published twice by mistake. Three things do:
 *
 * 1. It is published only when neither the chain nor the mempool, both read at one block, holds a publication of the
 *    miner's: so a new process, or one that was killed after its broadcast, finds what the old one sent.
 * 2. A replacement spends every coin of the transaction that it replaces.
 * 3. A publication that left the mempool without being mined may live on in other mempools. A new one must conflict with
 *    it: it spends a coin that the vanished one, or one that it rested on, had spent, or a coin that rests on such a
 *    conflict. Where there is no such coin it waits: until the conflict is mined, or has vanished itself.
 *
 * The third needs memory, the miner's only one. A process that is killed just between the vanishing and the new
 * publication loses it: then, if another mempool kept the first, both may be mined. It costs one fee.
 */
export function createClaims(): Claims {
  let footprints = new Map<string, Footprint>();

  return {
    update({ pending }, keystoneIds) {
      const family = createFamily(pending);
      const now = new Map([...footprints].filter(([id]) => keystoneIds.has(id)));
      for (const transaction of pending) {
        const spent = family.withAncestors(transaction).flatMap(({ txid, spends }) => spends.map((coin) => [keyOf(coin), toDisplay(txid)] as const));
        for (const { keystoneId } of transaction.sightings) now.set(keystoneId, new Map(spent));
      }
      footprints = now;
    },

    claimOf(keystoneId, { coins, pending }) {
      const footprint = footprints.get(keystoneId);
      if (footprint === undefined) return { kind: 'none' };
      const free = new Map(coins.map((coin) => [keyOf(coin), coin]));
      const coin = [...footprint.keys()].map((key) => free.get(key)).find((found) => found !== undefined);
      if (coin !== undefined) return { kind: 'coin', coin };
      const family = createFamily(pending);
      const isRival = (txid: string, spends: readonly Coin[]): boolean => spends.some((spent) => (footprint.get(keyOf(spent)) ?? txid) !== txid);
      const restsOnRival = pending.filter((transaction) =>
        family.withAncestors(transaction).some(({ txid, spends }) => isRival(toDisplay(txid), spends)),
      );
      if (restsOnRival.length === 0) return { kind: 'none' };
      const parents = new Set(restsOnRival.map(({ txid }) => toDisplay(txid)));
      const resting = coins.find(({ txid, height }) => height === undefined && parents.has(toDisplay(txid)));
      return resting === undefined ? { kind: 'wait' } : { kind: 'coin', coin: resting };
    },
  };
}

const keyOf = ({ txid, vout }: Coin): string => outpointKey(txid, vout);
