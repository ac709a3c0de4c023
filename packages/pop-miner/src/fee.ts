import { fail } from './errors.ts';
import type { FeeMarket } from './ports.ts';

/** What the miner pays. Fee rates here and below are integers: sats per 1000 vbytes (1 sat/vB = 1000). */
export interface FeeOptions {
  /** Always this rate, instead of what Bitcoin is estimated to ask for. */
  staticRate?: bigint;
  /** Never more than this. */
  maxRate?: bigint;
  /** At this rate and below it small coins are gathered; never when left out. */
  gatherRate?: bigint;
}

/** Blocks within which a publication should be mined. */
export const TARGET_BLOCKS = 6;
/** Where nothing is known (regtest): the least that Bitcoin Core relays by default. */
const FALLBACK_RATE = 1000n;

/** A fee rate from sats per vbyte, e.g. 1.5 → 1500. */
export function toFeeRate(satsPerVbyte: number): bigint {
  return BigInt(Math.round(satsPerVbyte * 1000));
}

/** The fee in sats at a rate, rounded up. */
export function feeAt(rate: bigint, vsize: number): bigint {
  return (rate * BigInt(vsize) + 999n) / 1000n;
}

/** The rate of a fee, rounded down. */
export function rateOf(feeSats: bigint, vsize: number): bigint {
  return (feeSats * 1000n) / BigInt(vsize);
}

/** The rate that gets a publication mined in time: the static one, else the estimate, else 1 sat/vB; no less than is relayed. */
export function targetRate({ staticRate }: FeeOptions, { estimate, minimum }: Pick<FeeMarket, 'estimate' | 'minimum'>): bigint {
  const rate = staticRate ?? estimate ?? FALLBACK_RATE;
  return rate < minimum ? minimum : rate;
}

/** @throws `pop-miner/fee-too-high` (retry) when a rate is above the limit. */
export function assertBelowCap(rate: bigint, { maxRate }: FeeOptions): void {
  if (maxRate === undefined || rate <= maxRate) return;
  throw fail('pop-miner/fee-too-high', `Bitcoin's fee rate is above the limit of ${Number(maxRate) / 1000} sats/vB: waiting for it to fall`, {
    details: { feeRate: Number(rate), maxFeeRate: Number(maxRate) },
  });
}
