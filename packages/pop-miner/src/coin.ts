import { type BitcoinTransaction, equal, toDisplay } from '@hemid/protocol';

/** An output that pays the miner. */
export interface Coin {
  /** Internal order. */
  txid: Uint8Array;
  vout: number;
  valueSats: bigint;
  isCoinbase: boolean;
  /** Height of its block, or `undefined` while it waits in the mempool. */
  height: number | undefined;
  /**
   * How much of the mempool's limit on related transactions it uses up (Bitcoin Core: 25): those it rests on, its own
   * included, or those that rest on the same, whichever is more; 0 when confirmed.
   */
  unconfirmed: number;
}

/** The miner's confirmed outputs that no block has spent, by {@link outpointKey}. */
export type CoinSet = Map<string, Coin>;

/** What takes a block back out of a {@link CoinSet}. */
export interface CoinUndo {
  created: string[];
  spent: Coin[];
}

/** Confirmations before an output of a coinbase may be spent (consensus). */
const COINBASE_MATURITY = 100;

/** A name for an output, for maps: `txid:vout`, display order. */
export function outpointKey(txid: Uint8Array, vout: number): string {
  return `${toDisplay(txid)}:${vout}`;
}

/** Whether consensus lets the next block spend it. */
export function isMature(coin: Coin, tipHeight: number): boolean {
  if (!coin.isCoinbase) return true;
  return coin.height !== undefined && tipHeight - coin.height + 1 >= COINBASE_MATURITY;
}

/** The outputs of a transaction that pay `script`. */
export function coinsOf(
  transaction: BitcoinTransaction,
  { script, height, unconfirmed }: { script: Uint8Array } & Pick<Coin, 'height' | 'unconfirmed'>,
): Coin[] {
  const { txid, isCoinbase } = transaction;
  return transaction.outputs.flatMap((output, vout) =>
    equal(output.script, script) ? [{ txid, vout, valueSats: output.valueSats, isCoinbase, height, unconfirmed }] : [],
  );
}

/** Moves the set over one block; the answer takes it back. */
export function applyToCoins(
  coins: CoinSet,
  transactions: readonly BitcoinTransaction[],
  { script, height }: { script: Uint8Array; height: number },
): CoinUndo {
  const undo: CoinUndo = { created: [], spent: [] };
  for (const transaction of transactions) {
    for (const { txid, vout } of transaction.inputs) {
      const key = outpointKey(txid, vout);
      const coin = coins.get(key);
      if (coin === undefined) continue;
      coins.delete(key);
      undo.spent.push(coin);
    }
    for (const coin of coinsOf(transaction, { script, height, unconfirmed: 0 })) {
      const key = outpointKey(coin.txid, coin.vout);
      coins.set(key, coin);
      undo.created.push(key);
    }
  }
  return undo;
}

/** Takes a block back. What it made goes last: it may have spent some of it itself. */
export function revertFromCoins(coins: CoinSet, undo: CoinUndo): void {
  for (const coin of undo.spent) coins.set(outpointKey(coin.txid, coin.vout), coin);
  for (const key of undo.created) coins.delete(key);
}
