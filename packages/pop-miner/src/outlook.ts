import { type BitcoinTransaction, equal, sizesOf, toDisplay } from '@hemid/protocol';
import { type Coin, coinsOf, outpointKey } from './coin.ts';
import { sortMempool } from './own-mempool.ts';
import type { PopWallet } from './pop-wallet.ts';
import { isPopOutput, type Sighting, sightingsIn } from './sighting.ts';

/** All that the miner decides on: Bitcoin at one moment. Nothing of it is remembered from earlier ones. */
export interface Outlook {
  tipHeight: number;
  /** Heights of the recent blocks of the best chain (`KEYSTONE_WINDOW` and some more), by hash in display order. */
  heights: ReadonlyMap<string, number>;
  /** Payable publications in the recent blocks, lowest first: the miner's own, and anybody's of the keystones asked for. */
  confirmed: readonly Sighting[];
  /** Transactions in the mempool that spend the miner's coins; parents and children in any order. */
  pending: readonly PendingTransaction[];
  /** The miner's outputs that nothing spends, in a block or in the mempool. */
  coins: readonly Coin[];
  /** What the miner itself sent and Bitcoin mined, in the recent blocks. */
  spendings: readonly Spending[];
}

/** A transaction in the mempool that spends coins of the miner. */
export interface PendingTransaction {
  /** Internal order. */
  txid: Uint8Array;
  /** What it publishes, if that is payable. */
  sightings: readonly Sighting[];
  /** The miner's coins that it spends, in the order of its inputs. */
  spends: readonly Coin[];
  /** Whether the miner made it: all inputs are its coins, and all outputs pay it or publish. Only such a one is replaced. */
  isOwn: boolean;
  /** `undefined` unless every input is a coin of the miner. */
  feeSats: bigint | undefined;
  /** Virtual size in vbytes. */
  vsize: number;
  /** Height of the tip when it came in. A source that is not told gives the height at which it saw it first. */
  sinceHeight: number;
}

/** A transaction of the miner's own in a block. */
export interface Spending {
  /** Internal order. */
  txid: Uint8Array;
  height: number;
  /** `undefined` where the source cannot say what its inputs were worth. */
  feeSats: bigint | undefined;
  /** Virtual size in vbytes. */
  vsize: number;
}

/** What an outlook is made of, as sources read it. */
export interface OutlookParts extends Pick<Outlook, 'tipHeight' | 'heights' | 'confirmed' | 'spendings'> {
  wallet: PopWallet;
  /** The miner's outputs that no block has spent, by `outpointKey`. */
  coins: ReadonlyMap<string, Coin>;
  /** At least every transaction of the mempool that spends a coin of the miner. */
  mempool: readonly MempoolTransaction[];
}

/** A transaction as it waits in the mempool. */
export interface MempoolTransaction {
  transaction: BitcoinTransaction;
  sinceHeight: number;
}

/** Puts the parts together: which coins are free, whose transactions may be built on. */
export function toOutlook({ wallet, coins, mempool, ...rest }: OutlookParts): Outlook {
  const pays = (script: Uint8Array): boolean => equal(script, wallet.script);
  const { own, trusted, spent } = sortMempool(
    mempool.map(({ transaction }) => transaction),
    { coins, pays },
  );
  const since = new Map(mempool.map(({ transaction, sinceHeight }) => [toDisplay(transaction.txid), sinceHeight]));
  const relatives = countRelatives(trusted);
  const change = trusted.flatMap((transaction) => {
    const unconfirmed = relatives.get(toDisplay(transaction.txid)) ?? 1;
    return coinsOf(transaction, { script: wallet.script, height: undefined, unconfirmed });
  });
  const all = new Map([...coins, ...change.map((coin): [string, Coin] => [outpointKey(coin.txid, coin.vout), coin])]);
  const describe = (transaction: BitcoinTransaction): PendingTransaction => {
    const spends = transaction.inputs.flatMap(({ txid, vout }) => all.get(outpointKey(txid, vout)) ?? []);
    const isPaidAlone = spends.length === transaction.inputs.length;
    return {
      txid: transaction.txid,
      sightings: sightingsIn(transaction, undefined),
      spends,
      isOwn: isPaidAlone && isMinersWork(transaction, wallet),
      feeSats: isPaidAlone ? sum(spends) - sum(transaction.outputs) : undefined,
      vsize: vsizeOf(transaction),
      sinceHeight: since.get(toDisplay(transaction.txid)) ?? rest.tipHeight,
    };
  };
  const free = [...all.values()].filter(({ txid, vout }) => !spent.has(outpointKey(txid, vout)));
  return { ...rest, pending: own.map(describe), coins: free };
}

/** Whether a transaction has the form of the miner's: every input shows its key, every output pays it or publishes. */
export function isMinersWork({ inputs, outputs, isCoinbase }: BitcoinTransaction, wallet: PopWallet): boolean {
  if (isCoinbase) return false;
  const { publicKey } = wallet;
  return (
    inputs.every(
      ({ scriptSig, witness }) => equal(scriptSig.subarray(-publicKey.length), publicKey) || equal(witness.at(-1) ?? scriptSig, publicKey),
    ) && outputs.every(({ script }) => equal(script, wallet.script) || isPopOutput(script))
  );
}

/** Virtual size in vbytes (BIP-141). */
export function vsizeOf(transaction: BitcoinTransaction): number {
  const { total, stripped } = sizesOf(transaction);
  return Math.ceil((stripped * 3 + total) / 4);
}

/**
 * How near each transaction is to the mempool's limits on relatives, itself counted: its ancestors, or the descendants
 * of the ancestor that has most, whichever is more.
 */
function countRelatives(transactions: readonly BitcoinTransaction[]): Map<string, number> {
  const parents = new Map(transactions.map(({ txid, inputs }) => [toDisplay(txid), inputs.map((input) => toDisplay(input.txid))]));
  const ancestors = new Map([...parents.keys()].map((id) => [id, withAncestors(id, parents)]));
  const descendants = new Map<string, number>();
  for (const ids of ancestors.values()) for (const id of ids) descendants.set(id, (descendants.get(id) ?? 0) + 1);
  return new Map([...ancestors].map(([id, ids]) => [id, Math.max(ids.size, ...[...ids].map((other) => descendants.get(other) ?? 1))]));
}

function withAncestors(id: string, parents: ReadonlyMap<string, readonly string[]>): Set<string> {
  const found = new Set([id]);
  for (const next of found) for (const parent of parents.get(next) ?? []) if (parents.has(parent)) found.add(parent);
  return found;
}

function sum(amounts: readonly { valueSats: bigint }[]): bigint {
  return amounts.reduce((total, { valueSats }) => total + valueSats, 0n);
}
