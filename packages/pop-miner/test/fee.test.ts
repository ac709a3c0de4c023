import { describe, expect, it } from 'vitest';
import { chooseFeeRate, feeAt, toFeeRate } from '../src/fee.ts';

describe('the fee rate', () => {
  it('is the static one, else the estimate, else 1 sat/vB', () => {
    expect(chooseFeeRate({ staticRate: 2500n }, 9000n)).toBe(2500n);
    expect(chooseFeeRate({}, 9000n)).toBe(9000n);
    expect(chooseFeeRate({}, undefined)).toBe(1000n);
  });

  it('is never above the limit', () => {
    expect(chooseFeeRate({ maxRate: 9000n }, 9000n)).toBe(9000n);
    expect(() => chooseFeeRate({ maxRate: 9000n }, 9001n)).toThrow(expect.objectContaining({ code: 'pop-miner/fee-too-high', severity: 'retry' }));
    expect(() => chooseFeeRate({ staticRate: 9001n, maxRate: 9000n }, undefined)).toThrow(
      expect.objectContaining({ code: 'pop-miner/fee-too-high' }),
    );
  });

  it('is exact for decimals, and the fee is rounded up', () => {
    expect(toFeeRate(1.1)).toBe(1100n);
    expect(feeAt(1100n, 201)).toBe(222n);
    expect(feeAt(1000n, 201)).toBe(201n);
  });
});
