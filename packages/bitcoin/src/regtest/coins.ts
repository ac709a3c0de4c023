import { isUnspendable } from '@hemid/protocol';
import type { Batch, Reader } from '@hemid/store';
import type { RegtestBlock } from './block.ts';
import { type BlockNode, medianTimePast } from './block-tree.ts';
import { MAX_BLOCK_SIGOPS_COST, subsidySats } from './consensus.ts';
import { type Coin, regtestLayout } from './layout.ts';
import { type BlockPlace, isSequenceFinal } from './lock-time.ts';
import { checkAmounts, coinAges, type Fault, sigopsCost, toCoin, verifyTransaction } from './spending.ts';
import { outpointKey, type RegtestTransaction } from './transaction.ts';

interface PlacedCoin {
  txid: Uint8Array;
  vout: number;
  coin: Coin;
}

/** What connecting a block does to the unspent set, not yet written. */
export interface CoinChanges {
  created: Map<string, PlacedCoin>;
  /** In the order of the inputs. */
  spent: PlacedCoin[];
}

/** A block's place, and the coins as its transactions so far leave them. */
interface Connecting {
  reader: Reader;
  parent: BlockNode;
  place: BlockPlace;
  changes: CoinChanges;
  /** Keys of coins of earlier blocks that are spent. */
  gone: Set<string>;
}

/** Checks a block against the unspent set of its parent, scripts included, and says what it changes. */
export function connectCoins(block: RegtestBlock, parent: BlockNode, reader: Reader): CoinChanges | Fault {
  const height = parent.height + 1;
  const changes: CoinChanges = { created: new Map(), spent: [] };
  const state: Connecting = { reader, parent, place: { height, medianTime: medianTimePast(parent) }, changes, gone: new Set() };
  let fees = 0n;
  let sigops = 0;
  for (const [position, transaction] of block.transactions.entries()) {
    // BIP30; on this chain nothing can break it, for heights stand in coinbases.
    const rewrites = transaction.tx.outs.some((_, vout) => reader.get(regtestLayout.coin, { txid: transaction.txid, vout }) !== undefined);
    if (rewrites) return { reason: 'bad-txns-BIP30', debug: 'tried to overwrite transaction' };
    const coins = position === 0 ? [] : takeCoins(transaction, state);
    if (coins === undefined)
      return { reason: 'bad-txns-inputs-missingorspent', debug: `CheckTxInputs: inputs missing/spent in transaction ${transaction.id}` };
    const cost = position === 0 ? { feeSats: 0n } : checkSpending(transaction, coins, state);
    if ('reason' in cost) return cost;
    fees += cost.feeSats;
    sigops += sigopsCost(transaction, coins);
    if (sigops > MAX_BLOCK_SIGOPS_COST) return { reason: 'bad-blk-sigops', debug: 'too many sigops' };
    for (const [vout, output] of transaction.tx.outs.entries()) {
      if (isUnspendable(output.script)) continue;
      const coin = toCoin(output, height, position === 0 ? 'coinbase' : 'payment');
      changes.created.set(outpointKey(transaction.txid, vout), { txid: transaction.txid, vout, coin });
    }
  }
  const claimed = block.transactions[0]?.tx.outs.reduce((sum, { value }) => sum + value, 0n) ?? 0n;
  const allowed = fees + subsidySats(height);
  if (claimed > allowed) return { reason: 'bad-cb-amount', debug: `coinbase pays too much (actual=${claimed} vs limit=${allowed})` };
  return changes;
}

/** What a transaction spends, taken out of the set; `undefined` when some of it is not there. */
function takeCoins({ tx }: RegtestTransaction, { reader, changes, gone }: Connecting): Coin[] | undefined {
  const coins: Coin[] = [];
  for (const { hash, index } of tx.ins) {
    const key = outpointKey(hash, index);
    const made = changes.created.get(key)?.coin;
    const coin = made ?? (gone.has(key) ? undefined : reader.get(regtestLayout.coin, { txid: hash, vout: index }));
    if (coin === undefined) return undefined;
    if (made === undefined) gone.add(key);
    else changes.created.delete(key);
    changes.spent.push({ txid: hash, vout: index, coin });
    coins.push(coin);
  }
  return coins;
}

function checkSpending(transaction: RegtestTransaction, coins: readonly Coin[], { parent, place }: Connecting): { feeSats: bigint } | Fault {
  const amounts = checkAmounts(transaction, coins, place.height);
  if ('reason' in amounts) return amounts;
  if (!isSequenceFinal(transaction.tx, coinAges(coins, parent), place)) {
    return { reason: 'bad-txns-nonfinal', debug: `contains a non-BIP68-final transaction ${transaction.id}` };
  }
  return verifyTransaction(transaction, coins, 'consensus') ?? amounts;
}

/** Writes what a block changes, and what is needed to take it back. */
export function writeCoins(block: RegtestBlock, { created, spent }: CoinChanges, batch: Batch): void {
  for (const { txid, vout } of spent) batch.del(regtestLayout.coin, { txid, vout });
  for (const { txid, vout, coin } of created.values()) batch.put(regtestLayout.coin, { txid, vout }, coin);
  batch.put(
    regtestLayout.undo,
    block.hash,
    spent.map(({ coin }) => coin),
  );
}

/** Takes back what the tip changed: its outputs vanish and what it spent returns. */
export function revertCoins(block: RegtestBlock, spent: readonly Coin[], batch: Batch): void {
  let next = spent.length;
  for (const [position, { tx, txid }] of [...block.transactions.entries()].reverse()) {
    for (const vout of tx.outs.keys()) batch.del(regtestLayout.coin, { txid, vout });
    if (position === 0) continue;
    next -= tx.ins.length;
    for (const [i, { hash, index }] of tx.ins.entries()) {
      const coin = spent[next + i];
      if (coin !== undefined) batch.put(regtestLayout.coin, { txid: hash, vout: index }, coin);
    }
  }
}
