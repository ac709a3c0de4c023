import type { BitcoinNetwork } from './bitcoin-address.ts';
import { toDisplay } from './bitcoin-hash.ts';

/** What the difficulty rules read of an ancestor. */
export interface DifficultyAncestor {
  bits: number;
  /** Seconds. */
  time: number;
}

/** A header's place among its ancestors, enough to say which bits it must carry. */
export interface DifficultyContext {
  /** Height of the header that is checked. */
  height: number;
  /** Its own time in seconds: the test networks ask how long it took. */
  time: number;
  /** The ancestor at a height below it. */
  ancestor(height: number): DifficultyAncestor;
}

/** How a network sets its difficulty (Core's kernel/chainparams.cpp). */
interface DifficultyRules {
  /** The easiest target. */
  limit: bigint;
  limitBits: number;
  retargets: boolean;
  /** testnet4: minimum-difficulty blocks after 20 minutes, and what BIP94 does about them. */
  bip94: boolean;
}

const BITCOIN_LIMIT = { limit: 0x00ffffn << 208n, limitBits: 0x1d00ffff };
const RULES: Record<BitcoinNetwork, DifficultyRules> = {
  mainnet: { ...BITCOIN_LIMIT, retargets: true, bip94: false },
  testnet4: { ...BITCOIN_LIMIT, retargets: true, bip94: true },
  signet: { limit: 0x0377aen << 216n, limitBits: 0x1e0377ae, retargets: true, bip94: false },
  regtest: { limit: 0x7fffffn << 232n, limitBits: 0x207fffff, retargets: false, bip94: false },
};

/** Blocks between two retargets. */
export const RETARGET_PERIOD = 2016;
const TIMESPAN = 14 * 24 * 60 * 60;
/** Seconds after which a block of testnet4 is one of minimum difficulty. */
const EXCEPTION_AFTER = 20 * 60;

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
  if (target === undefined || target === 0n || target > RULES[network].limit) return false;
  return BigInt(`0x${toDisplay(hash)}`) <= target;
}

/** The bits that the header at `context.height` must carry (protocol 4.2; Core's GetNextWorkRequired). */
export function requiredBits(network: BitcoinNetwork, context: DifficultyContext): number {
  const rules = RULES[network];
  if (rules.retargets && context.height % RETARGET_PERIOD === 0) return retarget(rules, context);
  return rules.bip94 ? bitsWithException(rules, context) : context.ancestor(context.height - 1).bits;
}

function retarget({ limit, limitBits, bip94 }: DifficultyRules, { height, ancestor }: DifficultyContext): number {
  const first = ancestor(height - RETARGET_PERIOD);
  const last = ancestor(height - 1);
  const span = Math.min(Math.max(last.time - first.time, TIMESPAN / 4), TIMESPAN * 4);
  // The last block of a period of testnet4 may be one of minimum difficulty, its first cannot.
  const base = toTarget(bip94 ? first.bits : last.bits) ?? 0n;
  const target = (base * BigInt(span)) / BigInt(TIMESPAN);
  return target > limit ? limitBits : toBits(target);
}

/** Within a period of testnet4: the minimum after 20 minutes without a block, else the bits of the last block that is no such exception. */
function bitsWithException({ limitBits }: DifficultyRules, { height, time, ancestor }: DifficultyContext): number {
  if (time > ancestor(height - 1).time + EXCEPTION_AFTER) return limitBits;
  let at = height - 1;
  while (at % RETARGET_PERIOD !== 0 && ancestor(at).bits === limitBits) at -= 1;
  return ancestor(at).bits;
}
