import { isHemidError } from '@hemid/protocol';
import { fail } from '../errors.ts';
import { assertBelowCap, type FeeOptions, targetRate, toFeeRate } from '../fee.ts';

/** How a simulated miner pays: by the rules of popmd, and maybe again while a publication waits. */
export interface FeePlan {
  name: string;
  fees: FeeOptions;
  /** Replaces a stuck publication when the estimate has risen, as popmd does. */
  replaces: boolean;
}

/** What Bitcoin nodes relay at least, sats per 1000 vbytes. */
const RELAY_RATE = 1000n;

/**
 * `fixed:R`, `estimate`, `estimate-cap:R` or `replace`; R in sats/vB.
 *
 * @throws `pop-miner/simulation`
 */
export function readFeePlan(name: string): FeePlan {
  const [kind, number] = name.split(':');
  const rate = number === undefined ? undefined : Number(number);
  const isRate = rate !== undefined && Number.isFinite(rate) && rate >= 1;
  if (kind === 'fixed' && isRate) return { name, fees: { staticRate: toFeeRate(rate) }, replaces: false };
  if (kind === 'estimate-cap' && isRate) return { name, fees: { maxRate: toFeeRate(rate) }, replaces: false };
  if ((name === 'estimate' || name === 'replace') && rate === undefined) return { name, fees: {}, replaces: name === 'replace' };
  throw fail('pop-miner/simulation', `"${name}" is not a policy: fixed:R, estimate, estimate-cap:R or replace, with R sats/vB of at least 1`);
}

/** The rate that popmd would pay, or `undefined` while it waits for fees to fall. */
export function rateOf({ fees }: FeePlan, estimate: bigint): bigint | undefined {
  const rate = targetRate(fees, { estimate, minimum: RELAY_RATE });
  try {
    assertBelowCap(rate, fees);
    return rate;
  } catch (error) {
    if (isHemidError(error, 'pop-miner/fee-too-high')) return undefined;
    throw error;
  }
}
