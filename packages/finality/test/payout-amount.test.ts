import { counts, type Publication } from '@hemid/protocol';
import { expect, test } from 'vitest';
import { payoutOf } from '../src/index.ts';

const SCORES = [100_000n, 100_000n, 25_000n, 11_111n, 6_250n, 4_000n, 2_778n, 2_041n, 1_563n];
const F = 500;
const POOL = 100n * 10n ** 18n;
const miner = (n: number): Uint8Array => new Uint8Array(20).fill(n);

/** A publication by miner n (0: pays nobody); of one block they stand in the order given. */
const published = (height: number, n: number, txIndex = 1): Publication => ({
  height,
  txIndex,
  vout: 0,
  txid: new Uint8Array(32),
  blockHash: new Uint8Array(32),
  miner: n === 0 ? undefined : miner(n),
});
const pay = (publications: Publication[], { pool = POOL, tipHeight = F + 8 } = {}) => payoutOf(25n, publications, { pool, tipHeight });

test('a keystone is due eight blocks after its first payable publication, not before', () => {
  expect(pay([published(F, 1)], { tipHeight: F + 7 })).toBeUndefined();
  expect(pay([published(F, 1)], { tipHeight: F + 8 })).toEqual({ blockRewarded: 25n, miners: [miner(1)], amounts: [POOL] });
});

test('without a payable publication nothing is due', () => {
  expect(pay([])).toBeUndefined();
  expect(pay([published(F, 0), published(F + 1, 0)], { tipHeight: F + 100 })).toBeUndefined();
});

test('a publication that pays nobody opens no window and takes no share', () => {
  const payout = pay([published(F - 3, 0), published(F, 1), published(F, 0, 2), published(F, 2, 3)]);
  expect(payout?.miners).toEqual([miner(1), miner(2)]);
  expect(payout?.amounts).toEqual([POOL / 2n, POOL / 2n]);
  expect(pay([published(F - 3, 0), published(F, 1)], { tipHeight: F + 7 })).toBeUndefined();
});

test('each block of the window has its score, the tenth has none', () => {
  const all = SCORES.map((_, i) => published(F + i, i + 1));
  const total = SCORES.reduce((sum, score) => sum + score, 0n);
  const payout = pay([...all, published(F + 9, 10)], { tipHeight: F + 50 });
  expect(payout?.miners).toEqual(SCORES.map((_, i) => miner(i + 1)));
  expect(payout?.amounts).toEqual(SCORES.map((score) => (POOL * score) / total));
  expect(total).toBe(252_743n);
});

test('a miner earns once, for its earliest publication', () => {
  const payout = pay([published(F, 1), published(F, 1, 2), published(F + 2, 2), published(F + 2, 1), published(F + 3, 2)]);
  expect(payout?.miners).toEqual([miner(1), miner(2)]);
  expect(payout?.amounts).toEqual([(POOL * 100_000n) / 125_000n, (POOL * 25_000n) / 125_000n]);
});

test('shares are rounded down, and what is left over is paid to nobody', () => {
  const payout = pay([published(F, 1), published(F, 2, 2), published(F, 3, 3)], { pool: 100n });
  expect(payout?.amounts).toEqual([33n, 33n, 33n]);
  const uneven = pay([published(F, 1), published(F + 8, 2)], { pool: 10n });
  expect(uneven?.amounts).toEqual([9n, 0n]);
});

test('the first sixty-four miners are paid, and only their scores share the pool', () => {
  const crowd = Array.from({ length: 70 }, (_, i) => published(i < 40 ? F : F + 1, i + 1, i));
  const payout = pay([published(F, 1), ...crowd]);
  expect(payout?.miners).toHaveLength(64);
  expect(payout?.miners[63]).toEqual(miner(64));
  expect(payout?.amounts.every((amount) => amount === POOL / 64n)).toBe(true);
});

test('a publication counts from one to 144 blocks above the tip that its keystone names, on its branch', () => {
  const named = { hash: new Uint8Array(32), height: 1_000 };
  const depths = [-1, 0, 1, 2, 143, 144, 145].filter((depth) => counts({ height: 1_000 + depth }, named));
  expect(depths).toEqual([1, 2, 143, 144]);
  expect(counts({ height: 1_001 }, undefined)).toBe(false);
});
