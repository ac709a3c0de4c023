import { expect, test } from 'vitest';
import {
  type AnchoringChoice,
  createPopWallet,
  popVsize,
  readFeePlan,
  readPopSecret,
  readYear,
  simulateAnchoring,
  syntheticYear,
} from '../src/index.ts';

/** Blocks 1000 s apart from height 100 on, each with the lowest rate that got in, sats/vB. */
const yearOf = (...rates: number[]) => readYear(`height,timestamp,feerate\n${rates.map((rate, i) => `${100 + i},${i * 1000},${rate}`).join('\n')}\n`);

/** A keystone each 10 blocks of 50 s: at 500, 1000, 1500 s … */
const choose = (policy: string, more: Partial<AnchoringChoice> = {}): AnchoringChoice => ({
  keystonePeriod: 10,
  blockTime: 50,
  policy: readFeePlan(policy),
  miners: 1,
  budgetSats: undefined,
  finalDepth: 3,
  vsize: 200,
  seed: 1,
  ...more,
});

test('a fixed rate is paid for every keystone, and only in blocks that it suffices for', () => {
  // At 5 sats/vB the keystones of 500 and 1000 s wait, until block 103 (at 3000 s) takes them and those of 1500 to 2500 s.
  const year = yearOf(1, 9, 9, 5, 1, 1, 1);
  const outcome = simulateAnchoring(year, choose('fixed:5'));
  // 6000 s: keystones at 500 … 6000 s; the one at 6000 s is built when the last block is found.
  expect(outcome.keystones).toBe(12);
  expect(outcome.publications).toBe(11);
  expect(outcome.costSats).toBe(11n * 200n * 5n);
  expect(outcome.lost).toBe(1);
  expect(outcome.days).toBe(6000 / 86_400);
  // Safe one block after the publication: blocks 1 to 49 are covered by the keystones in block 103 (up to the one of
  // 2500 s, perhaps 3000 s), safe at 4000 s; three blocks after it, at 6000 s, they are final.
  expect(outcome.finalized.p99).toBe(6000 - 50);
  expect(outcome.safe.p99).toBe(4000 - 50);
});

test('the estimate is the highest rate of the last six blocks; a cap makes the miner wait, and old keystones are lost', () => {
  const year = yearOf(2, 2, 2, 8, 2, 2, 2);
  const capped = simulateAnchoring(year, choose('estimate-cap:4'));
  const free = simulateAnchoring(year, choose('estimate'));
  // From the block at 3000 s on the estimate is 8: above the cap to the end.
  expect(capped.costSats).toBe(BigInt(capped.publications) * 200n * 2n);
  expect(capped.publications).toBeLessThan(free.publications);
  expect(capped.lost).toBeGreaterThan(free.lost);
  // Keystones of 2500 s and 3000 s are published at 2 before the block that wants 8, and are taken one block later.
  expect(free.lost).toBe(1);
});

test('who replaces gets in where a fixed rate waits', () => {
  const year = yearOf(1, 1, 7, 7, 7, 7, 7, 7);
  const stuck = simulateAnchoring(year, choose('fixed:1'));
  const replaced = simulateAnchoring(year, choose('replace'));
  const estimated = simulateAnchoring(year, choose('estimate'));
  expect(stuck.publications).toBeLessThan(estimated.publications);
  expect(estimated.publications).toBeLessThanOrEqual(replaced.publications);
  expect(replaced.lost).toBeLessThan(stuck.lost);
});

test('a budget stops a miner for the day, a second miner pays once more for what both publish', () => {
  const year = yearOf(...Array.from({ length: 10 }, () => 1));
  const fee = 200n;
  expect(simulateAnchoring(year, choose('fixed:1', { budgetSats: 3n * fee })).costSats).toBe(3n * fee);
  const [one, two] = [simulateAnchoring(year, choose('fixed:1')), simulateAnchoring(year, choose('fixed:1', { miners: 2 }))];
  expect(two.costSats).toBe(2n * one.costSats);
  expect(two.lost).toBe(one.lost);
});

test('a publication that comes more than 144 blocks above the named tip does not count', () => {
  const rates = Array.from({ length: 160 }, (_, i) => (i < 3 || i > 150 ? 1 : 50));
  const outcome = simulateAnchoring(yearOf(...rates), choose('fixed:1'));
  // Those of the first blocks are taken in block 251; what the miner could not see any more among the newest twelve is lost as well.
  expect(outcome.lost).toBeGreaterThan(0);
  expect(simulateAnchoring(yearOf(...rates.map(() => 1)), choose('fixed:1')).lost).toBeLessThanOrEqual(1);
});

test('a year of a seed is always the same, and looks like Bitcoin', () => {
  const year = syntheticYear(7);
  expect(syntheticYear(7)).toEqual(year);
  expect(year).not.toEqual(syntheticYear(8));
  expect(year.length).toBeGreaterThan(51_000);
  expect(year.length).toBeLessThan(54_000);
  expect(year.every(({ rate }) => rate >= 1000n)).toBe(true);
});

test('a file that is no list of blocks is refused by its line', () => {
  expect(() => readYear('1,0,1\n3,600,1\n')).toThrow(/line 2: block 3 at 600 does not follow block 1/);
  expect(() => readYear('1,0,1\n2,x,1\n')).toThrow(/line 2 is not/);
  expect(() => readYear('height,timestamp,feerate\n')).toThrow(/fewer than two/);
  expect(() => readFeePlan('cheap')).toThrow(/is not a policy/);
  expect(() => readFeePlan('fixed:0.5')).toThrow(/is not a policy/);
});

test('the size of a publication is exact: one input, change, 85 bytes of keystone', () => {
  const wallet = createPopWallet(readPopSecret('01'), { network: 'mainnet', kind: 'p2wpkh' });
  expect(popVsize(wallet, { inputs: 1, change: 1 })).toBe(202);
});
