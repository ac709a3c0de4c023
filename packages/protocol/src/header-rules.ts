import type { BitcoinNetwork } from './bitcoin-address.ts';
import type { BitcoinHeader } from './bitcoin-header.ts';
import { type DifficultyContext, RETARGET_PERIOD, requiredBits } from './difficulty.ts';

/** How many ancestors a median time is over. */
export const MEDIAN_WINDOW = 11;
/** How many seconds the first block of a period of testnet4 may be before its parent (BIP94). */
const TIMEWARP = 600;
const ANY_VERSION = -(2 ** 31);

/** A header's ancestors, as far as its rules look back. */
export interface HeaderContext extends Omit<DifficultyContext, 'time'> {
  /** Times (seconds) of its last eleven ancestors, or of as many as there are. */
  times: readonly number[];
}

/** The median of up to eleven times (seconds): a header must be later than that of its ancestors. */
export function medianTime(times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** The lowest block version, signed, that is valid at a height (BIP 34, 66, 65). */
export function minimumVersion(network: BitcoinNetwork, height: number): number {
  if (network !== 'mainnet') return height >= 1 ? 4 : ANY_VERSION;
  if (height >= 388_381) return 4;
  if (height >= 363_725) return 3;
  return height >= 227_931 ? 2 : ANY_VERSION;
}

/** The rule that a header breaks among its ancestors, in words, or `undefined`; all of protocol 4.2 but the proof of work. */
export function brokenRule(network: BitcoinNetwork, header: BitcoinHeader, context: HeaderContext): string | undefined {
  const { height, times, ancestor } = context;
  const expected = requiredBits(network, { height, time: header.time, ancestor });
  if (header.bits !== expected) return 'bits are not what the difficulty rule requires';
  if (header.time <= medianTime(times)) return 'time is not after the median of its ancestors';
  if (network === 'testnet4' && height % RETARGET_PERIOD === 0 && header.time < ancestor(height - 1).time - TIMEWARP) {
    return 'time is more than 600 seconds before the end of the last period';
  }
  if (header.version < minimumVersion(network, height)) return 'version is too low';
  return undefined;
}
