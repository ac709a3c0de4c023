import { describe, expect, it } from 'vitest';
import { assertBelowCap, feeAt, rateOf, targetRate, toFeeRate } from '../src/fee.ts';

describe('the fee rate', () => {
  it('is the static one, else the estimate, else 1 sat/vB', () => {
    expect(targetRate({ staticRate: 2500n }, { estimate: 9000n, minimum: 0n })).toBe(2500n);
    expect(targetRate({}, { estimate: 9000n, minimum: 0n })).toBe(9000n);
    expect(targetRate({}, { estimate: undefined, minimum: 0n })).toBe(1000n);
  });

  it('is never below what is relayed', () => {
    expect(targetRate({ staticRate: 2500n }, { estimate: 9000n, minimum: 4000n })).toBe(4000n);
    expect(targetRate({}, { estimate: 3000n, minimum: 4000n })).toBe(4000n);
    expect(targetRate({}, { estimate: undefined, minimum: 4000n })).toBe(4000n);
  });

  it('is not paid above the limit', () => {
    expect(() => assertBelowCap(9000n, { maxRate: 9000n })).not.toThrow();
    expect(() => assertBelowCap(9001n, {})).not.toThrow();
    expect(() => assertBelowCap(9001n, { maxRate: 9000n })).toThrow(expect.objectContaining({ code: 'pop-miner/fee-too-high', severity: 'retry' }));
  });

  it('is exact for decimals, and the fee is rounded up', () => {
    expect(toFeeRate(1.1)).toBe(1100n);
    expect(feeAt(1100n, 201)).toBe(222n);
    expect(feeAt(1000n, 201)).toBe(201n);
    expect(rateOf(201n, 201)).toBe(1000n);
  });
});
