import { compare } from '@hemid/protocol';
import type { Coin } from './coin.ts';
import { feeAt } from './fee.ts';
import type { PopWallet } from './pop-wallet.ts';
import { type SignedSpend, spendCoins, spendVsize } from './spend.ts';

/** A signed transaction that sends coins of a wallet to one script. */
export interface Sweep extends SignedSpend {
  coins: readonly Coin[];
  /** What arrives. */
  valueSats: bigint;
  feeSats: bigint;
}

/** The largest dust limit of any standard output (P2PKH, at the default of 3 sats/vB). */
const DUST_SATS = 546n;
/** Far from what Bitcoin relays (100,000 vbytes), and signed in a moment; what is left over is for a second sweep. */
const MAX_INPUTS = 200;
/** Bitcoin Core refuses a transaction that rests on more than 25 unconfirmed ones, itself counted. */
const MAX_UNCONFIRMED = 20;

/**
 * Sends all `spendable` coins that are worth more than they cost to `script`, at `feeRate` (sats per 1000 vbytes);
 * the most valuable when they do not fit into one transaction. `undefined` when nothing would arrive.
 */
export function buildSweep(
  wallet: PopWallet,
  { spendable, script, feeRate }: { spendable: readonly Coin[]; script: Uint8Array; feeRate: bigint },
): Sweep | undefined {
  const coins = chooseCoins(wallet, { spendable, script, feeRate });
  if (coins.length === 0) return undefined;
  const feeSats = feeAt(feeRate, spendVsize(wallet, { coins, outputs: [{ script, valueSats: 0n }] }));
  const valueSats = coins.reduce((total, coin) => total + coin.valueSats, -feeSats);
  if (valueSats < DUST_SATS) return undefined;
  return { ...spendCoins(wallet, { coins, outputs: [{ script, valueSats }] }), coins, valueSats, feeSats };
}

function chooseCoins(wallet: PopWallet, { spendable, script, feeRate }: { spendable: readonly Coin[]; script: Uint8Array; feeRate: bigint }): Coin[] {
  const sizeOf = (coins: readonly Coin[]): number => spendVsize(wallet, { coins, outputs: [{ script, valueSats: 0n }] });
  const [some] = spendable;
  if (some === undefined) return [];
  const inputFee = feeAt(feeRate, sizeOf([some, some]) - sizeOf([some]));
  const worthy = spendable.filter(({ valueSats }) => valueSats > inputFee).sort(byValue);
  let unconfirmed = 0;
  const chosen = worthy.filter((coin) => {
    if (unconfirmed + coin.unconfirmed > MAX_UNCONFIRMED) return false;
    unconfirmed += coin.unconfirmed;
    return true;
  });
  return chosen.slice(0, MAX_INPUTS);
}

function byValue(a: Coin, b: Coin): number {
  if (a.valueSats !== b.valueSats) return a.valueSats > b.valueSats ? -1 : 1;
  return compare(a.txid, b.txid) || a.vout - b.vout;
}
