import { compare } from '@hemid/protocol';
import { type Coin, isMature } from './coin.ts';
import { feeAt } from './fee.ts';
import { popVsize } from './pop-transaction.ts';
import type { AddressKind, PopWallet } from './pop-wallet.ts';

/** Which coins pay, and what comes back. */
export interface Selection {
  coins: Coin[];
  feeSats: bigint;
  /** Never dust, and never missing: Knots does not relay a transaction that holds nothing but data. */
  changeSats: bigint;
}

/** What the coins are chosen for. */
export interface SelectionRequest {
  /** Sats per 1000 vbytes. */
  feeRate: bigint;
  wallet: PopWallet;
  /** Spent in any case, before all others; beside them only confirmed coins are (BIP-125, rule 2). */
  required?: readonly Coin[];
  /** What must be paid for the transactions that these coins come from. */
  debtOf?: (coins: readonly Coin[]) => bigint;
  /** The least fee for a size, whatever the rate. */
  leastFee?: (vsize: number) => bigint;
}

/** Bitcoin Core's dust limits at the default of 3 sats/vB: smaller outputs are not relayed. */
export const DUST_SATS: Record<AddressKind, bigint> = { p2wpkh: 294n, p2pkh: 546n };
/** Longest chain of unconfirmed transactions that a publication may end; Core refuses more than 25. */
export const MAX_UNCONFIRMED = 20;
/** Enough to gather small coins; more would cost more than it is worth. */
export const MAX_INPUTS = 50;

/** The coins that could pay now: mature, and not at the end of a long chain of unconfirmed transactions. */
export function spendableCoins(coins: readonly Coin[], tipHeight: number): Coin[] {
  return coins.filter((coin) => isMature(coin, tipHeight) && coin.unconfirmed < MAX_UNCONFIRMED);
}

/**
 * Chooses the coins for one publication, or `undefined` when they do not pay it and leave a change: one coin, confirmed
 * before unconfirmed, the largest first; else several.
 */
export function selectCoins(spendable: readonly Coin[], request: SelectionRequest): Selection | undefined {
  const { feeRate, wallet, required = [], debtOf = () => 0n, leastFee = () => 0n } = request;
  const sizes = new Map<number, number>();
  const sizeOf = (inputs: number): number => {
    const size = sizes.get(inputs) ?? popVsize(wallet, { inputs, change: 1 });
    sizes.set(inputs, size);
    return size;
  };
  const select = (coins: Coin[]): Selection => {
    const [fair, least] = [feeAt(feeRate, sizeOf(coins.length)) + debtOf(coins), leastFee(sizeOf(coins.length))];
    const feeSats = fair > least ? fair : least;
    return { coins, feeSats, changeSats: sumOf(coins) - feeSats };
  };

  const inputFee = feeAt(feeRate, sizeOf(2) - sizeOf(1));
  const ordered = spendable.filter((coin) => coin.valueSats > inputFee + debtOf([coin])).sort(byPreference);
  const sets = required.length > 0 ? besides(required, ordered) : [...ordered.map((coin) => [coin]), ...growing(ordered)];
  return sets.map(select).find(({ changeSats }) => changeSats >= DUST_SATS[wallet.kind]);
}

function byPreference(a: Coin, b: Coin): number {
  if (a.unconfirmed !== b.unconfirmed) return a.unconfirmed - b.unconfirmed;
  if (a.valueSats !== b.valueSats) return a.valueSats > b.valueSats ? -1 : 1;
  return compare(a.txid, b.txid) || a.vout - b.vout;
}

/** The required coins alone, with one confirmed coin more, with two more, and so on. */
function besides(required: readonly Coin[], ordered: readonly Coin[]): Coin[][] {
  const others = ordered.filter((coin) => coin.unconfirmed === 0 && !required.includes(coin)).slice(0, MAX_INPUTS);
  return Array.from({ length: others.length + 1 }, (_, more) => [...required, ...others.slice(0, more)]);
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

/** What coins are worth together. */
export function sumOf(coins: readonly { valueSats: bigint }[]): bigint {
  return coins.reduce((total, { valueSats }) => total + valueSats, 0n);
}
