import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  brokenRule,
  type DifficultyAncestor,
  fromHex,
  hasProofOfWork,
  medianTime,
  minimumVersion,
  requiredBits,
  toBits,
  toTarget,
  workOf,
} from '../src/index.ts';

const EASIEST = 0x1d00ffff;
const REAL = 0x1a0ffff0;
const PERIOD = 2016;
const SPACING = 600;
const DAYS_14 = 14 * 24 * 60 * 60;

/** A chain whose blocks come every ten minutes and all carry the real difficulty, but for what is said of single heights. */
function chain(special: Record<number, Partial<DifficultyAncestor>> = {}): (height: number) => DifficultyAncestor {
  return (height) => ({ bits: REAL, time: height * SPACING, ...special[height] });
}

/** Fails the test when a height is asked for that the rule has no business with. */
function only(known: Record<number, DifficultyAncestor>): (height: number) => DifficultyAncestor {
  return (height) => {
    const ancestor = known[height];
    if (ancestor === undefined) throw new Error(`asked for height ${height}`);
    return ancestor;
  };
}

describe('compact bits', () => {
  it('that are negative or overflow have no target, others come back as they were', () => {
    expect(toTarget(0x01fedcba)).toBeUndefined();
    expect(toTarget(0x04923456)).toBeUndefined();
    expect(toTarget(0xff123456)).toBeUndefined();
    expect(toTarget(0x22010000)).toBeUndefined();
    expect(toTarget(0x23000100)).toBeUndefined();
    expect(toTarget(0x220000ff)).toBe(0xffn << 248n);
    expect(toTarget(0x00123456)).toBe(0n);
    expect(toTarget(0x01003456)).toBe(0n);
    expect(toTarget(0x05009234)).toBe(0x92340000n);
    for (const bits of [0x1d00ffff, 0x1e0377ae, 0x207fffff, 0x17053894, 0x1b0404cb, 0x01120000, 0x02008000]) {
      expect(toBits(toTarget(bits) ?? 0n)).toBe(bits);
    }
  });

  it('of any target lose at most what a mantissa of 23 bits cannot hold', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 1n, max: (1n << 255n) - 1n }), (target) => {
        const read = toTarget(toBits(target)) ?? -1n;
        expect(read).toBeLessThanOrEqual(target);
        expect(target - read).toBeLessThanOrEqual(target >> 15n);
        expect(toBits(read)).toBe(toBits(target));
      }),
    );
  });

  it('are proof of work only when the hash is not above the target, and the target not above the limit', () => {
    const hashOf = (value: bigint): Uint8Array => fromHex(value.toString(16).padStart(64, '0')).reverse();
    for (const [network, bits] of [
      ['mainnet', 0x1d00ffff],
      ['testnet4', 0x1d00ffff],
      ['signet', 0x1e0377ae],
      ['regtest', 0x207fffff],
    ] as const) {
      const target = toTarget(bits) as bigint;
      expect(hasProofOfWork(network, hashOf(target), bits)).toBe(true);
      expect(hasProofOfWork(network, hashOf(target + 1n), bits)).toBe(false);
      expect(hasProofOfWork(network, hashOf(0n), bits + 1)).toBe(false);
      expect(hasProofOfWork(network, hashOf(0n), bits - 1)).toBe(true);
      for (const none of [0, 0x01003456, 0x04923456, 0xff123456]) expect(hasProofOfWork(network, hashOf(0n), none)).toBe(false);
    }
  });

  it('stand for the work that Bitcoin counts', () => {
    expect(workOf(toTarget(0x1d00ffff) as bigint)).toBe(0x100010001n);
    expect(workOf(toTarget(0x207fffff) as bigint)).toBe(2n);
  });
});

describe('the difficulty of mainnet', () => {
  it('stays within a period, however long a block took', () => {
    const ancestor = only({ 800352: { bits: REAL, time: 1 } });
    expect(requiredBits('mainnet', { height: 800_353, time: 10 ** 9, ancestor })).toBe(REAL);
  });

  it("retargets as in Core's own cases: real, held at the limit, held at a quarter, held at four times", () => {
    const cases = [
      { height: 32_256, first: 1_261_130_161, last: { time: 1_262_152_739, bits: 0x1d00ffff }, becomes: 0x1d00d86a },
      { height: 2_016, first: 1_231_006_505, last: { time: 1_233_061_996, bits: 0x1d00ffff }, becomes: 0x1d00ffff },
      { height: 68_544, first: 1_279_008_237, last: { time: 1_279_297_671, bits: 0x1c05a3f4 }, becomes: 0x1c0168fd },
      { height: 46_368, first: 1_263_163_443, last: { time: 1_269_211_443, bits: 0x1c387f6f }, becomes: 0x1d00e1fd },
    ];
    for (const { height, first, last, becomes } of cases) {
      const ancestor = only({ [height - PERIOD]: { time: first, bits: last.bits }, [height - 1]: last });
      expect(requiredBits('mainnet', { height, time: last.time + 600, ancestor })).toBe(becomes);
    }
  });

  it('takes the bits of the last block of the period', () => {
    const first = { bits: 0x1b0404cb, time: 0 };
    const ancestor = only({ 4032: first, 6047: { bits: REAL, time: DAYS_14 } });
    expect(requiredBits('mainnet', { height: 6048, time: DAYS_14, ancestor })).toBe(REAL);
  });
});

describe('the difficulty of testnet4 (BIP94)', () => {
  const height = 5 * PERIOD + 100;
  const after = (seconds: number): number => (height - 1) * SPACING + seconds;

  it('is the minimum for a block more than twenty minutes after its parent, and only then', () => {
    expect(requiredBits('testnet4', { height, time: after(1201), ancestor: chain() })).toBe(EASIEST);
    expect(requiredBits('testnet4', { height, time: after(1200), ancestor: chain() })).toBe(REAL);
    for (const network of ['mainnet', 'signet', 'regtest'] as const) {
      expect(requiredBits(network, { height, time: after(1201), ancestor: chain() })).toBe(REAL);
    }
  });

  it('is the real one again after exceptional blocks, however many', () => {
    const eased = { bits: EASIEST };
    const few = chain({ [height - 1]: eased, [height - 2]: eased, [height - 3]: eased });
    expect(requiredBits('testnet4', { height, time: after(1200), ancestor: few })).toBe(REAL);
    expect(requiredBits('mainnet', { height, time: after(1200), ancestor: few })).toBe(EASIEST);
  });

  it('is looked for no further back than the first block of the period', () => {
    const start = 5 * PERIOD;
    const all = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [start + i, { bits: EASIEST, time: (start + i) * SPACING }]));
    expect(requiredBits('testnet4', { height, time: after(60), ancestor: only(all) })).toBe(EASIEST);
    const real = { ...all, [start]: { bits: REAL, time: start * SPACING } };
    expect(requiredBits('testnet4', { height, time: after(60), ancestor: only(real) })).toBe(REAL);
  });

  it('retargets from the bits of the first block of the period, not of an exceptional last one', () => {
    const start = 6 * PERIOD;
    const ancestor = only({ [start - PERIOD]: { bits: REAL, time: 0 }, [start - 1]: { bits: EASIEST, time: DAYS_14 / 2 } });
    const halved = toBits((toTarget(REAL) as bigint) / 2n);
    expect(requiredBits('testnet4', { height: start, time: DAYS_14, ancestor })).toBe(halved);
    expect(requiredBits('mainnet', { height: start, time: DAYS_14, ancestor })).toBe(toBits((toTarget(EASIEST) as bigint) / 2n));
  });

  it('has no exception at the first block of a period', () => {
    const start = 6 * PERIOD;
    const ancestor = chain();
    const late = requiredBits('testnet4', { height: start, time: start * SPACING + 10 ** 6, ancestor });
    expect(late).toBe(requiredBits('testnet4', { height: start, time: start * SPACING, ancestor }));
    expect(late).not.toBe(EASIEST);
  });
});

describe('the difficulty of the other networks', () => {
  it('signet retargets, at most four times, never above its own limit', () => {
    const at = (bits: number, seconds: number) => only({ 2016: { bits: 0x1d00ffff, time: 0 }, 4031: { bits, time: seconds } });
    const of = (bits: number, seconds: number): number => requiredBits('signet', { height: 4032, time: seconds, ancestor: at(bits, seconds) });
    expect(of(0x1e00ffff, DAYS_14)).toBe(0x1e00ffff);
    expect(of(0x1e00ffff, DAYS_14 / 2)).toBe(toBits((0xffffn << 216n) / 2n));
    expect(of(0x1e00ffff, 1)).toBe(toBits((0xffffn << 216n) / 4n));
    expect(of(0x1e00ffff, DAYS_14 * 3)).toBe(0x1e02fffd);
    expect(of(0x1e00ffff, DAYS_14 * 4)).toBe(0x1e0377ae);
    expect(of(0x1e0377ae, DAYS_14 * 2)).toBe(0x1e0377ae);
  });

  it('regtest stays as it is, at the end of a period too', () => {
    const ancestor = only({ 2015: { bits: 0x207fffff, time: 5 } });
    expect(requiredBits('regtest', { height: 2016, time: 10 ** 9, ancestor })).toBe(0x207fffff);
  });
});

describe('the other rules of a header', () => {
  const header = { version: 4, previous: new Uint8Array(32), merkleRoot: new Uint8Array(32), time: 0, bits: REAL, nonce: 0 };
  const start = 8 * PERIOD;
  const lastTime = (start - 1) * SPACING;
  const eleven = Array.from({ length: 11 }, (_, i) => lastTime - i * SPACING);

  it('the median is over the times there are, up to eleven, and the upper one of an even number', () => {
    expect(medianTime([5, 1, 9])).toBe(5);
    expect(medianTime([4, 1, 3, 2])).toBe(3);
    expect(medianTime([7])).toBe(7);
    expect(medianTime([11, 1, 10, 2, 9, 3, 8, 4, 7, 5, 6])).toBe(6);
  });

  it('time must be after the median, of fewer than eleven ancestors too', () => {
    const at = (time: number, times: number[]): string | undefined =>
      brokenRule('mainnet', { ...header, time }, { height: 500_001, times, ancestor: chain() });
    expect(at(eleven[5] as number, eleven)).toMatch(/median/);
    expect(at((eleven[5] as number) + 1, eleven)).toBeUndefined();
    expect(at(30, [10, 30, 40])).toMatch(/median/);
    expect(at(31, [10, 30, 40])).toBeUndefined();
  });

  it('the first block of a period of testnet4 is at most 600 seconds before its parent; nothing else is so bound', () => {
    const times = eleven.map((time) => time - 10 ** 6);
    const at = (network: 'mainnet' | 'testnet4' | 'signet', height: number, time: number): string | undefined => {
      const bits = requiredBits(network, { height, time, ancestor: chain() });
      return brokenRule(network, { ...header, bits, time }, { height, times, ancestor: chain() });
    };
    expect(at('testnet4', start, lastTime - 601)).toMatch(/600 seconds/);
    expect(at('testnet4', start, lastTime - 600)).toBeUndefined();
    expect(at('testnet4', start - 1, lastTime - SPACING - 601)).toBeUndefined();
    expect(at('mainnet', start * 100, lastTime - 601)).toBeUndefined();
    expect(at('signet', start, lastTime - 601)).toBeUndefined();
  });

  it('versions are signed numbers with gates: three on mainnet, 4 from the first block elsewhere', () => {
    const gates = [
      ['mainnet', 227_930, -(2 ** 31)],
      ['mainnet', 227_931, 2],
      ['mainnet', 363_724, 2],
      ['mainnet', 363_725, 3],
      ['mainnet', 388_380, 3],
      ['mainnet', 388_381, 4],
      ['testnet4', 1, 4],
      ['signet', 1, 4],
      ['regtest', 1, 4],
    ] as const;
    for (const [network, height, lowest] of gates) expect([network, height, minimumVersion(network, height)]).toEqual([network, height, lowest]);
    const at = (version: number): string | undefined =>
      brokenRule('mainnet', { ...header, version, time: lastTime }, { height: 388_381, times: [0], ancestor: chain() });
    expect(at(3)).toMatch(/version/);
    expect(at(-1)).toMatch(/version/);
    expect(at(4)).toBeUndefined();
    expect(at(0x2000_0000)).toBeUndefined();
  });

  it('any other bits than the required ones are refused, on every network', () => {
    fc.assert(
      fc.property(fc.constantFrom('mainnet', 'testnet4', 'signet', 'regtest'), fc.integer({ min: 0, max: 2 ** 32 - 1 }), (network, bits) => {
        const context = { height: start + 7, times: [0], ancestor: chain() };
        const verdict = brokenRule(network, { ...header, bits, time: (start + 7) * SPACING }, context);
        expect(verdict === undefined).toBe(bits === REAL);
      }),
    );
  });
});
