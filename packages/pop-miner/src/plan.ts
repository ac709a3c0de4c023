import { abbreviate, encodePopScript } from '@hemid/protocol';
import type { Claim } from './claims.ts';
import { type Coin, isMature } from './coin.ts';
import { DUST_SATS, MAX_INPUTS, MAX_UNCONFIRMED, type Selection, selectCoins, spendableCoins, sumOf } from './coin-selection.ts';
import { fail } from './errors.ts';
import type { Family } from './family.ts';
import { assertBelowCap, type FeeOptions, feeAt, rateOf } from './fee.ts';
import type { Outlook } from './outlook.ts';
import type { Candidate, StuckTransaction } from './policy.ts';
import { type PopPlan, popVsize } from './pop-transaction.ts';
import type { PopWallet } from './pop-wallet.ts';

/** A transaction to send, with what it costs. */
export interface Plan extends PopPlan {
  feeSats: bigint;
  /** What it adds to what the miner spends: of a replacement, the difference. */
  extraSats: bigint;
}

/** What plans are made from. */
export interface PlanContext {
  outlook: Outlook;
  family: Family;
  wallet: PopWallet;
  fees: FeeOptions;
  /** Sats per 1000 vbytes. */
  rate: bigint;
}

/** Unconfirmed transactions on one coin above which more coins are made for the blocks to come. */
const LONG_CHAIN = 10;
/** Coins that a change is divided into at most. */
const MAX_SPLIT = 4;
/** How many publications a coin should be able to pay: what is divided is worth more, what is gathered less. */
const COIN_WORTH = 20n;
/** Small coins that one publication gathers. */
const MAX_GATHERED = 10;

/**
 * Plans the publication of a keystone. `waiting`: how many more keystones ask for coins. `claim`: what an earlier,
 * vanished publication of it asks for.
 *
 * @throws `pop-miner/no-funds`, `pop-miner/fee-too-high`, `pop-miner/held` (all `retry`)
 */
export function planPublication({ keystone }: Candidate, { waiting, claim }: { waiting: number; claim: Claim }, context: PlanContext): Plan {
  const { outlook, family, wallet, rate } = context;
  assertBelowCap(rate, context.fees);
  const required = claimedCoins(claim, outlook.tipHeight);
  const spendable = spendableCoins(outlook.coins, outlook.tipHeight);
  const selection = selectCoins(spendable, { feeRate: rate, wallet, required, debtOf: (coins) => family.debtOfCoins(coins, rate) });
  if (selection === undefined) throw noFunds(context, spendable);
  const gathered = gather(selection, spendable, context);
  const change = divide(gathered, { waiting, others: spendable.filter((coin) => !gathered.coins.includes(coin)).length }, context);
  const feeSats = sumOf(gathered.coins) - change.reduce((total, value) => total + value, 0n);
  return { popScript: encodePopScript(abbreviate(keystone)), coins: gathered.coins, change, feeSats, extraSats: feeSats };
}

/**
 * Plans a replacement by the rules of BIP-125: the same keystone and all the same coins, confirmed ones beside them if
 * need be; a higher rate, and a fee above the old one by what the node asks for relaying it. It also pays what the
 * transactions below it lack.
 *
 * @throws `pop-miner/no-funds`, `pop-miner/fee-too-high` (both `retry`)
 */
export function planReplacement(stuck: StuckTransaction, incremental: bigint, context: PlanContext): Plan {
  const { outlook, family, wallet, fees, rate } = context;
  const { popScript, spends, vsize: oldVsize, feeSats: oldFee = 0n } = stuck;
  assertBelowCap(rate, fees);
  const leastFee = (vsize: number): bigint => {
    const relayed = oldFee + feeAt(incremental, vsize);
    const higher = (oldFee * BigInt(vsize)) / BigInt(oldVsize) + 1n;
    return relayed > higher ? relayed : higher;
  };
  const spendable = spendableCoins(outlook.coins, outlook.tipHeight);
  const debtOf = (coins: readonly Coin[]): bigint => family.debtOfCoins(coins, rate);
  const selection = selectCoins(spendable, { feeRate: rate, wallet, required: spends, debtOf, leastFee });
  if (selection === undefined) throw noFunds(context, spendable);
  const { coins, feeSats, changeSats } = selection;
  // What it pays for those below is no rate of its own.
  assertBelowCap(rateOf(feeSats - debtOf(coins), popVsize(wallet, { inputs: coins.length, change: 1 })), fees);
  return { popScript, coins, change: [changeSats], feeSats, extraSats: feeSats - oldFee };
}

function claimedCoins(claim: Claim, tipHeight: number): Coin[] {
  if (claim.kind === 'none') return [];
  if (claim.kind === 'coin' && isMature(claim.coin, tipHeight) && claim.coin.unconfirmed < MAX_UNCONFIRMED) return [claim.coin];
  throw fail('pop-miner/held', 'a publication that vanished may still be mined: waiting until it cannot, or can be replaced');
}

/** While fees are low, a publication that spends confirmed coins takes small ones along. */
function gather({ coins, feeSats, changeSats }: Selection, spendable: readonly Coin[], { wallet, fees, rate }: PlanContext): Selection {
  const isDear = fees.gatherRate === undefined || rate > fees.gatherRate;
  if (isDear || coins.some(({ unconfirmed }) => unconfirmed > 0)) return { coins, feeSats, changeSats };
  const vsizeOf = (inputs: number): number => popVsize(wallet, { inputs, change: 1 });
  const inputFee = feeAt(rate, vsizeOf(2) - vsizeOf(1)) + 1n;
  const small = COIN_WORTH * feeAt(rate, vsizeOf(1));
  const more = spendable
    .filter((coin) => coin.unconfirmed === 0 && coin.valueSats > inputFee && coin.valueSats < small && !coins.includes(coin))
    .sort((a, b) => Number(a.valueSats - b.valueSats))
    .slice(0, Math.min(MAX_GATHERED, MAX_INPUTS - coins.length));
  const all = [...coins, ...more];
  const fee = feeSats + feeAt(rate, vsizeOf(all.length) - vsizeOf(coins.length));
  return { coins: all, feeSats: fee, changeSats: sumOf(all) - fee };
}

/**
 * The change, in several parts when keystones queue up on one chain of unconfirmed transactions: from the next block on
 * each part carries a chain of its own.
 */
function divide(
  { coins, feeSats, changeSats }: Selection,
  { waiting, others }: { waiting: number; others: number },
  { wallet, rate }: PlanContext,
): bigint[] {
  const chain = coins.reduce((total, { unconfirmed }) => total + unconfirmed, 0);
  if (chain < LONG_CHAIN || waiting <= others) return [changeSats];
  const vsizeOf = (change: number): number => popVsize(wallet, { inputs: coins.length, change });
  const worth = COIN_WORTH * feeAt(rate, vsizeOf(1));
  const least = worth > DUST_SATS[wallet.kind] ? worth : DUST_SATS[wallet.kind];
  for (let parts = MAX_SPLIT; parts > 1; parts -= 1) {
    const left = sumOf(coins) - feeSats - feeAt(rate, vsizeOf(parts) - vsizeOf(1));
    const part = left / BigInt(parts);
    if (part >= least) return [left - part * BigInt(parts - 1), ...Array.from({ length: parts - 1 }, () => part)];
  }
  return [changeSats];
}

/** Says what is missing. */
function noFunds({ outlook: { coins }, wallet: { address } }: PlanContext, spendable: readonly Coin[]): Error {
  if (coins.length === 0) return fail('pop-miner/no-funds', `there is no bitcoin at ${address}: send some to it`);
  if (spendable.length === 0) return fail('pop-miner/no-funds', `the bitcoin at ${address} must wait for blocks before it can be spent`);
  return fail('pop-miner/no-funds', `the bitcoin at ${address} does not pay the fee of a publication: send more to it`);
}
