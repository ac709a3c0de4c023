import { expect, test } from 'vitest';
import { type CoinChoice, chooseCoins } from '../src/index.ts';

const coin = (valueSats: number) => ({ txid: new Uint8Array(32).fill(valueSats % 251), vout: 0, valueSats: BigInt(valueSats) });
const coins = [900_000, 400_000, 60_000, 50_001, 50_000].map(coin);
const choose = (change: Partial<CoinChoice>): number[] =>
  chooseCoins({ tip: coin(100_000), coins, neededSats: 90_000n, feeSats: 3_000n, count: 1, smallSats: 100_000n, ...change }).map(({ valueSats }) =>
    Number(valueSats),
  );

test('what is needed comes first: the change of the batch before, then the most valuable', () => {
  expect(choose({ smallSats: 0n })).toEqual([100_000]);
  expect(choose({ smallSats: 0n, neededSats: 1_200_000n })).toEqual([100_000, 900_000, 400_000]);
  expect(choose({ smallSats: 0n, tip: undefined })).toEqual([900_000]);
});

test('small coins come along, the smallest first, for at most half of the fee rate', () => {
  expect(choose({})).toEqual([100_000, 50_000]);
  expect(choose({ count: 8, feeSats: 24_000n })).toEqual([100_000, 50_000, 50_001, 60_000]);
  expect(choose({ feeSats: 300n })).toEqual([100_000]);
});

test('all coins of a vault that is given up come, the most valuable first, as far as the fee carries them', () => {
  expect(choose({ smallSats: undefined, feeSats: 3_000n })).toEqual([100_000, 900_000, 400_000, 60_000, 50_001, 50_000]);
  expect(choose({ smallSats: undefined, feeSats: 1_400n })).toEqual([100_000, 900_000, 400_000]);
});
