import type { ChainSpec, L2Header } from '@hemid/protocol';
import { expect, test } from 'vitest';
import { nextBaseFee } from '../src/index.ts';

const specOf = (elasticity: bigint, baseFeeDenominator = 8n): ChainSpec =>
  ({ genesis: { elasticity, baseFeeDenominator, baseFee: 10_000_000n } }) as ChainSpec;
const parentOf = (gasUsed: bigint, baseFeePerGas = 1_000_000_000n, number = 1n): L2Header =>
  ({ number, gasLimit: 30_000_000n, gasUsed, baseFeePerGas }) as L2Header;

test('the first block has the base fee of the spec, whatever the genesis says', () => {
  expect(nextBaseFee(specOf(2n), parentOf(0n, 7n, 0n))).toBe(10_000_000n);
});

test('the base fee stays at the target, rises by an eighth when full, falls by an eighth when empty', () => {
  expect(nextBaseFee(specOf(2n), parentOf(15_000_000n))).toBe(1_000_000_000n);
  expect(nextBaseFee(specOf(2n), parentOf(30_000_000n))).toBe(1_125_000_000n);
  expect(nextBaseFee(specOf(2n), parentOf(0n))).toBe(875_000_000n);
  expect(nextBaseFee(specOf(2n), parentOf(20_000_000n))).toBe(1_041_666_666n);
});

test('elasticity and denominator are those of the spec', () => {
  expect(nextBaseFee(specOf(5n), parentOf(6_000_000n))).toBe(1_000_000_000n);
  expect(nextBaseFee(specOf(5n), parentOf(30_000_000n))).toBe(1_500_000_000n);
  expect(nextBaseFee(specOf(2n, 50n), parentOf(30_000_000n))).toBe(1_020_000_000n);
  expect(nextBaseFee(specOf(1n), parentOf(30_000_000n))).toBe(1_000_000_000n);
});

test('above the target the base fee rises by at least one wei; below it a small one stands still', () => {
  expect(nextBaseFee(specOf(2n), parentOf(15_000_001n, 7n))).toBe(8n);
  expect(nextBaseFee(specOf(2n), parentOf(14_999_999n, 7n))).toBe(7n);
  expect(nextBaseFee(specOf(2n), parentOf(0n, 7n))).toBe(7n);
  expect(nextBaseFee(specOf(2n), parentOf(0n, 8n))).toBe(7n);
});
