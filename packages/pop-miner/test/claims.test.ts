import { describe, expect, it } from 'vitest';
import { createClaims } from '../src/claims.ts';
import type { Coin } from '../src/coin.ts';
import { createFamily } from '../src/family.ts';
import type { Outlook, PendingTransaction } from '../src/outlook.ts';

const txidOf = (name: string): Uint8Array => new Uint8Array(32).fill(name.charCodeAt(0));

/** The first output of a transaction, in a block or of one that waits. */
function coin(name: string, where: 'mined' | 'waiting'): Coin {
  const height = where === 'mined' ? 100 : undefined;
  return { txid: txidOf(name), vout: 0, valueSats: 10_000n, isCoinbase: false, height, unconfirmed: where === 'mined' ? 0 : 1 };
}

function publication(name: string, spends: readonly Coin[], more: Partial<PendingTransaction> = {}): PendingTransaction {
  const sighting = { keystoneId: name, keystoneNumber: 25, txid: txidOf(name), miner: new Uint8Array(20), height: undefined };
  const facts = { isOwn: true, feeSats: 200n, vsize: 200, sinceHeight: 100 };
  return { txid: txidOf(name), sightings: [sighting], popScript: new Uint8Array(83), spends, ...facts, ...more };
}

const outlook = (pending: readonly PendingTransaction[], coins: readonly Coin[]): Outlook => ({
  tipHeight: 100,
  heights: new Map(),
  confirmed: [],
  spendings: [],
  pending,
  coins,
});

describe('the claim of a publication that vanished', () => {
  const ids = new Set(['a', 'b', 'x']);
  const [root, other] = [coin('r', 'mined'), coin('o', 'mined')];
  const [a, b] = [publication('a', [root]), publication('b', [coin('a', 'waiting')])];

  it('is none when there never was one, or when it was given up', () => {
    const claims = createClaims();
    expect(claims.claimOf('a', outlook([], [root]))).toEqual({ kind: 'none' });
    claims.update(outlook([a], [other]), ids);
    claims.update(outlook([], [root, other]), new Set(['b']));
    expect(claims.claimOf('a', outlook([], [root, other]))).toEqual({ kind: 'none' });
  });

  it('is the coin that it spent, or one below it', () => {
    const claims = createClaims();
    claims.update(outlook([a, b], [other]), ids);
    expect(claims.claimOf('b', outlook([a], [other, coin('a', 'waiting')]))).toEqual({ kind: 'coin', coin: coin('a', 'waiting') });
    expect(claims.claimOf('b', outlook([], [other, root]))).toEqual({ kind: 'coin', coin: root });
  });

  it('is a coin on the transaction that took its place, or waits for one', () => {
    const claims = createClaims();
    claims.update(outlook([a], [other]), ids);
    const rival = publication('x', [root]);
    expect(claims.claimOf('a', outlook([rival], [other, coin('x', 'waiting')]))).toEqual({ kind: 'coin', coin: coin('x', 'waiting') });
    expect(claims.claimOf('a', outlook([rival], [other]))).toEqual({ kind: 'wait' });
  });

  it('is none when its coin was spent otherwise in a block: it is dead', () => {
    const claims = createClaims();
    claims.update(outlook([a], [other]), ids);
    expect(claims.claimOf('a', outlook([], [other]))).toEqual({ kind: 'none' });
  });
});

describe('what a transaction lacks', () => {
  const root = coin('r', 'mined');
  const low = publication('l', [root], { feeSats: 200n });
  const high = publication('h', [coin('l', 'waiting')], { feeSats: 1000n });

  it('is what its chain pays too little; what a parent pays too much is no help', () => {
    const family = createFamily([low, high]);
    expect(family.debtOf(low, 3000n)).toBe(400n);
    expect(family.debtOf(high, 3000n)).toBe(0n);
    expect(family.debtOf(high, 4000n)).toBe(400n);
    const rich = publication('l', [root], { feeSats: 10_000n });
    const poor = publication('h', [coin('l', 'waiting')], { feeSats: 200n });
    expect(createFamily([rich, poor]).debtOf(poor, 3000n)).toBe(400n);
    expect(family.debtOfCoins([coin('h', 'waiting'), root], 4000n)).toBe(400n);
  });

  it('is found in no time, although chains part and join again', () => {
    const both = (name: string): Coin[] => [0, 1].map((vout) => ({ ...coin(name, 'waiting'), vout }));
    const names = Array.from({ length: 60 }, (_, i) => String.fromCharCode(150 + i));
    // Every transaction rests on the two before it: more paths lead down than there is time for.
    const pending = names.map((name, i) => publication(name, i < 2 ? [root] : [...both(names[i - 1] ?? ''), ...both(names[i - 2] ?? '')]));
    const family = createFamily(pending);
    expect(family.withAncestors(pending.at(-1) as PendingTransaction)).toHaveLength(60);
    expect(family.debtOf(pending.at(-1) as PendingTransaction, 1000n)).toBe(0n);
    expect(pending.filter((one) => family.isLeaf(one))).toEqual([pending.at(-1)]);
  });
});
