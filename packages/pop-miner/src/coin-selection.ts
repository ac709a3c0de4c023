import { compare } from '@hemid/protocol';
import { type Coin, isMature } from './coin.ts';
import { feeAt } from './fee.ts';
import { popVsize } from './pop-transaction.ts';
import type { AddressKind, PopWallet } from './pop-wallet.ts';

/** Which coins pay, and what comes back. */
export interface Selection {
  coins: Coin[];
  feeSats: bigint;
  /** 0: it would be dust, and went to the fee. */
  changeSats: bigint;
}

/** Bitcoin Core's dust limits at the default of 3 sats/vB: smaller outputs are not relayed. */
const DUST_SATS: Record<AddressKind, bigint> = { p2wpkh: 294n, p2pkh: 546n };
/** Longest chain of unconfirmed transactions that a publication may end; Core refuses more than 25. */
const MAX_UNCONFIRMED = 20;
/** Enough to gather small coins; more would cost more than it is worth. */
const MAX_INPUTS = 50;

/** The coins that could pay now: mature, and not at the end of a long chain of unconfirmed transactions. */
export function spendableCoins(coins: readonly Coin[], tipHeight: number): Coin[] {
  return coins.filter((coin) => isMature(coin, tipHeight) && coin.unconfirmed < MAX_UNCONFIRMED);
}

/**
 * Chooses the coins for one publication at `feeRate` (sats per 1000 vbytes), or `undefined` when they do not pay it:
 * one coin that leaves a change, confirmed before unconfirmed, the largest first; else several; else without change.
 */
export function selectCoins(spendable: readonly Coin[], { feeRate, wallet }: { feeRate: bigint; wallet: PopWallet }): Selection | undefined {
  const sizes = new Map<number, { withChange: bigint; without: bigint }>();
  const feesOf = (inputs: number): { withChange: bigint; without: bigint } => {
    const known = sizes.get(inputs) ?? {
      withChange: feeAt(feeRate, popVsize(wallet, { inputs, hasChange: true })),
      without: feeAt(feeRate, popVsize(wallet, { inputs, hasChange: false })),
    };
    sizes.set(inputs, known);
    return known;
  };

  const inputFee = feesOf(2).withChange - feesOf(1).withChange;
  const ordered = spendable.filter(({ valueSats }) => valueSats > inputFee).sort(byPreference);
  const choices = [...ordered.map((coin) => [coin]), ...growing(ordered)].map((coins) => ({ coins, ...feesOf(coins.length), has: sum(coins) }));
  const withChange = choices.find((choice) => choice.has >= choice.withChange + DUST_SATS[wallet.kind]);
  if (withChange !== undefined) {
    return { coins: withChange.coins, feeSats: withChange.withChange, changeSats: withChange.has - withChange.withChange };
  }
  const spent = choices.find((choice) => choice.has >= choice.without);
  return spent && { coins: spent.coins, feeSats: spent.has, changeSats: 0n };
}

function byPreference(a: Coin, b: Coin): number {
  if (a.unconfirmed !== b.unconfirmed) return a.unconfirmed - b.unconfirmed;
  if (a.valueSats !== b.valueSats) return a.valueSats > b.valueSats ? -1 : 1;
  return compare(a.txid, b.txid) || a.vout - b.vout;
}

/** The first two coins, the first three, and so on, without those that would make the unconfirmed chain too long. */
function growing(ordered: readonly Coin[]): Coin[][] {
  const sets: Coin[][] = [];
  let set: Coin[] = [];
  for (const coin of ordered) {
    if (set.length === MAX_INPUTS) break;
    const grown = [...set, coin];
    if (grown.reduce((total, { unconfirmed }) => total + unconfirmed, 0) >= MAX_UNCONFIRMED) continue;
    set = grown;
    if (set.length > 1) sets.push(set);
  }
  return sets;
}

function sum(coins: readonly Coin[]): bigint {
  return coins.reduce((total, { valueSats }) => total + valueSats, 0n);
}
