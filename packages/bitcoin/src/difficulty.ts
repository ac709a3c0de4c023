import type { BitcoinNetwork } from '@hemid/protocol';

/** A header's place among its ancestors, enough to say which bits it must carry. */
export interface DifficultyContext {
  /** Height of the header that is checked. */
  height: number;
  /** Bits and time (seconds) of an ancestor of that header, at a height below it. */
  ancestor(height: number): { bits: number; time: number };
}

interface NetworkRules {
  limit: bigint;
  limitBits: number;
  retargets: boolean;
}

const MAINNET_LIMIT = 0x00000000ffffn << 208n;
const RULES: Partial<Record<BitcoinNetwork, NetworkRules>> = {
  mainnet: { limit: MAINNET_LIMIT, limitBits: 0x1d00ffff, retargets: true },
  regtest: { limit: 0x7fffffn << 232n, limitBits: 0x207fffff, retargets: false },
};

const PERIOD = 2016;
const TIMESPAN = 14 * 24 * 60 * 60;

function rulesOf(network: BitcoinNetwork): NetworkRules {
  const rules = RULES[network];
  if (rules === undefined) throw new RangeError(`no difficulty rules for ${network}`);
  return rules;
}

/** The target of compact bits, or `undefined` when they are negative or overflow 256 bits. */
export function toTarget(bits: number): bigint | undefined {
  const exponent = bits >>> 24;
  const mantissa = BigInt(bits & 0x007fffff);
  const negative = (bits & 0x00800000) !== 0 && mantissa !== 0n;
  if (negative) return undefined;
  const target = exponent <= 3 ? mantissa >> BigInt(8 * (3 - exponent)) : mantissa << BigInt(8 * (exponent - 3));
  return target >= 1n << 256n ? undefined : target;
}

/** The compact form of a target, as Bitcoin rounds it. */
export function toBits(target: bigint): number {
  let size = Math.ceil(target.toString(16).length / 2);
  let mantissa = size <= 3 ? target << BigInt(8 * (3 - size)) : target >> BigInt(8 * (size - 3));
  if ((mantissa & 0x800000n) !== 0n) {
    mantissa >>= 8n;
    size += 1;
  }
  return Number(mantissa) + size * 2 ** 24;
}

/** Expected hashes behind a target: 2^256 / (target + 1). */
export function workOf(target: bigint): bigint {
  return (1n << 256n) / (target + 1n);
}

/** Whether a hash (internal order) satisfies its bits, and the bits are within the network's limit. */
export function hasProofOfWork(network: BitcoinNetwork, hash: Uint8Array, bits: number): boolean {
  const target = toTarget(bits);
  if (target === undefined || target === 0n || target > rulesOf(network).limit) return false;
  return BigInt(`0x${Buffer.from(hash).reverse().toString('hex')}`) <= target;
}

/** The bits that the header at `context.height` must carry. */
export function requiredBits(network: BitcoinNetwork, context: DifficultyContext): number {
  const rules = rulesOf(network);
  const parent = context.ancestor(context.height - 1);
  if (!rules.retargets || context.height % PERIOD !== 0) return parent.bits;
  const first = context.ancestor(context.height - PERIOD);
  const span = Math.min(Math.max(parent.time - first.time, TIMESPAN / 4), TIMESPAN * 4);
  const target = ((toTarget(parent.bits) ?? 0n) * BigInt(span)) / BigInt(TIMESPAN);
  return target > rules.limit ? rules.limitBits : toBits(target);
}

/** The median of up to eleven times (seconds): a header must be later than that of its ancestors. */
export function medianTime(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** The lowest block version that is valid at a height (BIP 34, 66, 65). */
export function minimumVersion(network: BitcoinNetwork, height: number): number {
  if (network !== 'mainnet') return 4;
  if (height >= 388_381) return 4;
  if (height >= 363_725) return 3;
  return height >= 227_931 ? 2 : 1;
}
