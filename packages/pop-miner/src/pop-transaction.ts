import type { Coin } from './coin.ts';
import type { PopWallet } from './pop-wallet.ts';
import { type SignedSpend, type Spend, spendCoins, spendVsize } from './spend.ts';

/** What a publication is made of. */
export interface PopPlan {
  /** The output script that publishes, 83 bytes (protocol section 7). */
  popScript: Uint8Array;
  /** The inputs, in order; at least one. */
  coins: readonly Coin[];
  /** Values of the outputs that go back to the wallet, in sats. */
  change: readonly bigint[];
}

/** All publications are as long. */
const SOME_SCRIPT = new Uint8Array(83);
const SOME_COIN: Coin = { txid: new Uint8Array(32), vout: 0, valueSats: 0n, isCoinbase: false, height: 0, unconfirmed: 0 };

/** Builds and signs a publication: the change first, the keystone after it. The same plan gives the same bytes. */
export function buildPopTransaction(wallet: PopWallet, plan: PopPlan): SignedSpend {
  return spendCoins(wallet, toSpend(wallet, plan));
}

/** The exact virtual size in vbytes of a publication with so many inputs, and outputs that go back to the wallet. */
export function popVsize(wallet: PopWallet, { inputs, change }: { inputs: number; change: number }): number {
  const coins = Array.from({ length: inputs }, () => SOME_COIN);
  return spendVsize(wallet, toSpend(wallet, { popScript: SOME_SCRIPT, coins, change: Array.from({ length: change }, () => 1n) }));
}

function toSpend({ script }: PopWallet, { popScript, coins, change }: PopPlan): Spend {
  return { coins, outputs: [...change.map((valueSats) => ({ script, valueSats })), { script: popScript, valueSats: 0n }] };
}
