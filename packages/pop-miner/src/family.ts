import { toDisplay } from '@hemid/protocol';
import type { Coin } from './coin.ts';
import { feeAt } from './fee.ts';
import type { PendingTransaction } from './outlook.ts';

/** How the miner's transactions in the mempool rest on one another. */
export interface Family {
  /** Those that a transaction rests on, itself included. */
  withAncestors(transaction: PendingTransaction): PendingTransaction[];
  /** Whether nothing of the miner's rests on it. */
  isLeaf(transaction: PendingTransaction): boolean;
  /** What a transaction and those it rests on lack to be mined at `rate`, in sats; 0 when they pay it. */
  debtOf(transaction: PendingTransaction, rate: bigint): bigint;
  /** What one who spends these coins must pay for those that they come from, in sats. */
  debtOfCoins(coins: readonly Coin[], rate: bigint): bigint;
}

/** Relates the transactions of one outlook. */
export function createFamily(pending: readonly PendingTransaction[]): Family {
  const byId = new Map(pending.map((transaction) => [toDisplay(transaction.txid), transaction]));
  const parentsOf = (coins: readonly Coin[]): PendingTransaction[] => [
    ...new Set(coins.flatMap(({ txid, height }) => (height === undefined ? (byId.get(toDisplay(txid)) ?? []) : []))),
  ];
  // Chains that part and join again have more paths than one could walk.
  const debts = new Map<string, bigint>();
  const withChildren = new Set(pending.flatMap(({ spends }) => parentsOf(spends)));

  /**
   * A miner of blocks takes a transaction with those it rests on, and leaves out of the account those that pay enough
   * for themselves: what a parent pays too much is no help, what it pays too little must be paid by the child.
   */
  function debtOf({ txid, feeSats = 0n, vsize, spends }: PendingTransaction, rate: bigint): bigint {
    const name = `${toDisplay(txid)}:${rate}`;
    const known = debts.get(name);
    if (known !== undefined) return known;
    const lacks = feeAt(rate, vsize) - feeSats + debtOfCoins(spends, rate);
    debts.set(name, lacks > 0n ? lacks : 0n);
    return lacks > 0n ? lacks : 0n;
  }

  function debtOfCoins(coins: readonly Coin[], rate: bigint): bigint {
    return parentsOf(coins).reduce((total, parent) => total + debtOf(parent, rate), 0n);
  }

  return {
    withAncestors(transaction) {
      const found = new Set([transaction]);
      for (const { spends } of found) for (const parent of parentsOf(spends)) found.add(parent);
      return [...found];
    },
    isLeaf: (transaction) => !withChildren.has(transaction),
    debtOf,
    debtOfCoins,
  };
}
