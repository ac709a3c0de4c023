import { fail } from './errors.ts';

/** What the miner pays. Fee rates here and below are integers: sats per 1000 vbytes (1 sat/vB = 1000). */
export interface FeeOptions {
  /** Always this rate, instead of the Bitcoin node's estimate. */
  staticRate?: bigint;
  /** Never more than this. */
  maxRate?: bigint;
}

/** Blocks within which a publication should be mined. */
export const TARGET_BLOCKS = 6;
/** Where nothing is known (regtest): the least that is relayed. */
const FALLBACK_RATE = 1000n;

/** A fee rate from sats per vbyte, e.g. 1.5 → 1500. */
export function toFeeRate(satsPerVbyte: number): bigint {
  return BigInt(Math.round(satsPerVbyte * 1000));
}

/** The fee in sats at a rate, rounded up. */
export function feeAt(rate: bigint, vsize: number): bigint {
  return (rate * BigInt(vsize) + 999n) / 1000n;
}

/**
 * The rate to pay: the static one, else the estimate, else 1 sat/vB.
 *
 * @throws `pop-miner/fee-too-high` (retry) when it is above the limit.
 */
export function chooseFeeRate({ staticRate, maxRate }: FeeOptions, estimate: bigint | undefined): bigint {
  const rate = staticRate ?? estimate ?? FALLBACK_RATE;
  if (maxRate === undefined || rate <= maxRate) return rate;
  throw fail('pop-miner/fee-too-high', `Bitcoin's fee rate is above the limit of ${Number(maxRate) / 1000} sats/vB: waiting for it to fall`, {
    details: { feeRate: Number(rate), maxFeeRate: Number(maxRate) },
  });
}
