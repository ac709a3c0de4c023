import type { Batch, Reader } from '@hemid/store';
import type { RegtestBlock } from './block.ts';
import { ancestorAt, type BlockNode, medianTimePast } from './block-tree.ts';
import { COINBASE_MATURITY, MAX_BLOCK_SIGOPS_COST, MAX_MONEY_SATS, subsidySats } from './consensus.ts';
import { type Coin, regtestLayout } from './layout.ts';
import { countSigops, isUnspendable, readScriptForm } from './script-form.ts';
import { verifyInput } from './script-verify.ts';
import { type CoinAge, isSequenceFinal } from './transaction-check.ts';
import { outpointKey, type RegtestTransaction } from './transaction.ts';

/** Height of the block that made a coin. */
export const coinHeight = (coin: Coin): number => coin.origin >>> 1;

/** Whether a coinbase made a coin. */
export const isFromCoinbase = (coin: Coin): boolean => (coin.origin & 1) === 1;

/** The coin that an output becomes in a block of that height. */
export function toCoin({ value, script }: { value: bigint; script: Uint8Array }, height: number, from: 'coinbase' | 'payment'): Coin {
  return { valueSats: value, origin: height * 2 + (from === 'coinbase' ? 1 : 0), script };
}

/** What spending costs: the amount left over, or why the amounts do not fit (Core's CheckTxInputs). */
export function checkAmounts({ tx }: RegtestTransaction, coins: readonly Coin[], height: number): { feeSats: bigint } | { reason: string; debug?: string } {
  let inSats = 0n;
  for (const coin of coins) {
    const depth = height - coinHeight(coin);
    if (isFromCoinbase(coin) && depth < COINBASE_MATURITY) {
      return { reason: 'bad-txns-premature-spend-of-coinbase', debug: `tried to spend coinbase at depth ${depth}` };
    }
    inSats += coin.valueSats;
    if (inSats > MAX_MONEY_SATS) return { reason: 'bad-txns-inputvalues-outofrange' };
  }
  const outSats = tx.outs.reduce((sum, { value }) => sum + value, 0n);
  if (inSats >= outSats) return { feeSats: inSats - outSats };
  return { reason: 'bad-txns-in-belowout', debug: `value in (${toBtc(inSats)}) < value out (${toBtc(outSats)})` };
}

/** An amount as Core prints it in its messages: at least two decimals. */
const toBtc = (sats: bigint): string => (Number(sats) / 1e8).toFixed(8).replace(/0{1,6}$/, '');

/** The ages of coins, for their relative lock times, seen from a block on top of `tip`. */
export function coinAges(coins: readonly Coin[], tip: BlockNode): CoinAge[] {
  return coins.map((coin) => ({
    height: coinHeight(coin),
    medianTimeBefore() {
      const before = ancestorAt(tip, Math.max(Math.min(coinHeight(coin) - 1, tip.height), 0));
      return before === undefined ? 0 : medianTimePast(before);
    },
  }));
}

/** Signature operations of the witnesses of a transaction (BIP141). */
function witnessSigops({ tx }: RegtestTransaction, coins: readonly Coin[]): number {
  return tx.ins.reduce((count, { witness }, i) => {
    const form = readScriptForm(coins[i]?.script ?? new Uint8Array());
    if (form.type === 'witness_v0_keyhash') return count + 1;
    if (form.type === 'witness_v0_scripthash') return count + countSigops(witness.at(-1) ?? new Uint8Array(), 'accurate');
    return count;
  }, 0);
}

/** Cost of a transaction's signature operations (Core's GetTransactionSigOpCost). */
export function sigopsCost(transaction: RegtestTransaction, coins: readonly Coin[]): number {
  const scripts = [...transaction.tx.ins, ...transaction.tx.outs].map(({ script }) => script);
  return scripts.reduce((cost, script) => cost + 4 * countSigops(script, 'legacy'), witnessSigops(transaction, coins));
}

/** What connecting a block does to the unspent set, not yet written. */
export interface CoinChanges {
  created: Map<string, { txid: Uint8Array; vout: number; coin: Coin }>;
  spent: { txid: Uint8Array; vout: number; coin: Coin }[];
}

/** Core's words for a reason with an explanation. */
export const describe = ({ reason, debug }: { reason: string; debug?: string | undefined }): string =>
  debug === undefined ? reason : `${reason}, ${debug}`;

/** Checks a block against the unspent set of its parent, scripts included, and says what it changes. */
export function connectCoins(block: RegtestBlock, parent: BlockNode, reader: Reader): CoinChanges | { reason: string; debug?: string } {
  const height = parent.height + 1;
  const place = { height, medianTime: medianTimePast(parent) };
  const changes: CoinChanges = { created: new Map(), spent: [] };
  const gone = new Set<string>();
  let fees = 0n;
  let sigops = 0;
  for (const [position, transaction] of block.transactions.entries()) {
    const { tx, txid } = transaction;
    // BIP30; no branch of this chain can break it, for heights stand in coinbases.
    if (tx.outs.some((_, vout) => reader.get(regtestLayout.coin, { txid, vout }) !== undefined)) return { reason: 'bad-txns-BIP30', debug: 'tried to overwrite transaction' };
    if (position > 0) {
      const coins: Coin[] = [];
      for (const { hash, index } of tx.ins) {
        const key = outpointKey(hash, index);
        const made = changes.created.get(key)?.coin;
        const coin = made ?? (gone.has(key) ? undefined : reader.get(regtestLayout.coin, { txid: hash, vout: index }));
        if (coin === undefined) return { reason: 'bad-txns-inputs-missingorspent', debug: 'CheckTxInputs: inputs missing/spent' };
        if (made === undefined) gone.add(key);
        else changes.created.delete(key);
        changes.spent.push({ txid: hash, vout: index, coin });
        coins.push(coin);
      }
      const amounts = checkAmounts(transaction, coins, height);
      if ('reason' in amounts) return amounts;
      if (!isSequenceFinal(tx, coinAges(coins, parent), place)) return { reason: 'bad-txns-nonfinal', debug: 'contains a non-BIP68-final transaction' };
      fees += amounts.feeSats;
      sigops += sigopsCost(transaction, coins);
      const failure = verifyTransaction(transaction, coins, 'consensus');
      if (failure !== undefined) return failure;
    } else {
      sigops += sigopsCost(transaction, []);
    }
    if (sigops > MAX_BLOCK_SIGOPS_COST) return { reason: 'bad-blk-sigops', debug: 'too many sigops' };
    for (const [vout, output] of tx.outs.entries()) {
      if (isUnspendable(output.script)) continue;
      changes.created.set(outpointKey(txid, vout), { txid, vout, coin: toCoin(output, height, position === 0 ? 'coinbase' : 'payment') });
    }
  }
  const claimed = block.transactions[0]?.tx.outs.reduce((sum, { value }) => sum + value, 0n) ?? 0n;
  const allowed = fees + subsidySats(height);
  if (claimed > allowed) return { reason: 'bad-cb-amount', debug: `coinbase pays too much (actual=${claimed} vs limit=${allowed})` };
  return changes;
}

/** Verifies every input; the reason reads as Core's. */
export function verifyTransaction({ tx }: RegtestTransaction, coins: readonly Coin[], rules: 'consensus' | 'policy'): { reason: string; debug?: string } | undefined {
  for (const index of tx.ins.keys()) {
    const failure = verifyInput({ tx, index, coins, rules });
    if (failure === undefined) continue;
    if (failure.unsupported) return { reason: 'unsupported-script', debug: failure.reason };
    if (rules === 'policy' && verifyInput({ tx, index, coins, rules: 'consensus' }) === undefined) {
      return { reason: `non-mandatory-script-verify-flag (${failure.reason})` };
    }
    return { reason: `mandatory-script-verify-flag-failed (${failure.reason})` };
  }
  return undefined;
}

/** Writes what a block changes, and what is needed to take it back. */
export function writeCoins(block: RegtestBlock, { created, spent }: CoinChanges, batch: Batch): void {
  for (const { txid, vout } of spent) batch.del(regtestLayout.coin, { txid, vout });
  for (const { txid, vout, coin } of created.values()) batch.put(regtestLayout.coin, { txid, vout }, coin);
  batch.put(regtestLayout.undo, block.hash, spent.map(({ coin }) => coin));
}

/** Takes back what the tip changed: its outputs vanish and what it spent returns. */
export function revertCoins(block: RegtestBlock, spent: readonly Coin[], batch: Batch): void {
  let next = spent.length;
  for (const { tx, txid } of [...block.transactions].reverse()) {
    for (const vout of tx.outs.keys()) batch.del(regtestLayout.coin, { txid, vout });
    if (tx === block.transactions[0]?.tx) continue;
    next -= tx.ins.length;
    for (const [i, { hash, index }] of tx.ins.entries()) {
      const coin = spent[next + i];
      if (coin !== undefined) batch.put(regtestLayout.coin, { txid: hash, vout: index }, coin);
    }
  }
}
