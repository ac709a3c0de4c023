import { toHex } from '@hemid/protocol';
import { sumOf } from './coin-selection.ts';
import { fail } from './errors.ts';
import { feeAt } from './fee.ts';
import type { Outlook } from './outlook.ts';
import type { Candidate } from './policy.ts';
import { popVsize } from './pop-transaction.ts';
import type { PopWallet } from './pop-wallet.ts';

/** A day, in Bitcoin's measure: chain and mempool say what was spent in it, also to a miner that was started just now. */
export const DAY_BLOCKS = 144;

const DAY_MS = 86_400_000;

/** The fees in sats of the miner's transactions in the last {@link DAY_BLOCKS} blocks and in the mempool; `rate` where one is not known. */
export function spentInDay({ tipHeight, spendings, pending }: Outlook, rate: bigint): bigint {
  const own = new Map(
    [...spendings.filter(({ height }) => height > tipHeight - DAY_BLOCKS), ...pending.filter(({ isOwn }) => isOwn)].map((one) => [
      toHex(one.txid),
      one,
    ]),
  );
  return [...own.values()].reduce((total, { feeSats, vsize }) => total + (feeSats ?? feeAt(rate, vsize)), 0n);
}

/** @throws `pop-miner/budget` (retry) when `feeSats` more would go beyond the limit. */
export function assertInBudget(feeSats: bigint, { limitSats, spentSats }: { limitSats: bigint | undefined; spentSats: bigint }): void {
  if (limitSats === undefined || spentSats + feeSats <= limitSats) return;
  throw fail('pop-miner/budget', `the budget of ${limitSats} sats in ${DAY_BLOCKS} blocks is spent: waiting until some of it is older`, {
    details: { limitSats: String(limitSats), spentSats: String(spentSats), feeSats: String(feeSats) },
  });
}

/** What keeps the coins from lasting longer. */
export interface Pace {
  wallet: PopWallet;
  candidates: readonly Candidate[];
  /** Sats per 1000 vbytes. */
  rate: bigint;
  limitSats: bigint | undefined;
}

/**
 * For how many days the coins pay at today's fee rate and today's rate of keystones, which their own times tell;
 * `undefined` when there are too few of them to tell.
 */
export function runwayDays({ coins }: Pick<Outlook, 'coins'>, { wallet, candidates, rate, limitSats }: Pace): number | undefined {
  const times = candidates.map(({ origin }) => origin.timeMs);
  const spanMs = Math.max(...times) - Math.min(...times);
  if (times.length < 2 || spanMs === 0) return undefined;
  const perDay = ((times.length - 1) * DAY_MS) / spanMs;
  const daily = perDay * Number(feeAt(rate, popVsize(wallet, { inputs: 1, change: 1 })));
  return Number(sumOf(coins)) / (limitSats === undefined ? daily : Math.min(daily, Number(limitSats)));
}
