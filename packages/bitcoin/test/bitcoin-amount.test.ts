import { btcFromSats, satsFromBtc } from '@hemid/bitcoin';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const MAX_SATS = 2_100_000_000_000_000n;

describe('amounts of Bitcoin', () => {
  it('survive the way through JSON as text and as a double, exactly', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -MAX_SATS, max: MAX_SATS }), (sats) => {
        expect(satsFromBtc(btcFromSats(sats))).toBe(sats);
        expect(satsFromBtc(JSON.parse(btcFromSats(sats)))).toBe(sats);
        expect(satsFromBtc(JSON.parse(JSON.stringify(Number(btcFromSats(sats)))))).toBe(sats);
      }),
    );
    expect(satsFromBtc(20999999.9769)).toBe(2_099_999_997_690_000n);
    expect(satsFromBtc(1e-8)).toBe(1n);
    expect(btcFromSats(330n)).toBe('0.00000330');
  });

  it('are refused when they are none', () => {
    for (const wrong of [
      '',
      'x',
      '1,5',
      '0.123456789',
      '1e-8',
      '+1',
      ' 1',
      21_000_000.1,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      null,
      undefined,
      {},
      1n,
    ]) {
      expect(() => satsFromBtc(wrong)).toThrow();
    }
  });
});
