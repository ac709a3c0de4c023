import type { RegtestBlock } from './block.ts';
import type { ChainMove } from './chain.ts';
import { type MempoolEntry, withAncestors, withDescendants } from './mempool.ts';
import { type Acceptance, judge, type MempoolContext } from './mempool-accept.ts';
import { outpointKey, type RegtestTransaction } from './transaction.ts';

/** Lets in what {@link judge} accepted, and drops what it replaces. */
export function admit({ entry, replaced }: Acceptance, { mempool }: Pick<MempoolContext, 'mempool'>): void {
  for (const old of replaced) mempool.remove(old);
  mempool.add(entry);
}

/**
 * Brings the mempool in line with a chain that has moved. `heightOf` gives the height at which the transactions of a
 * block taken back come in again.
 */
export function followChain({ removed, added }: ChainMove, context: MempoolContext, heightOf: (block: RegtestBlock) => number): void {
  for (const block of added) takeOut(block, context);
  if (removed.length > 0) readmit(removed, context, heightOf);
}

/** Mined transactions leave, and so does what spends the same coins, with all that hangs on it. */
function takeOut(block: RegtestBlock, { mempool }: MempoolContext): void {
  for (const { id, tx } of block.transactions) {
    const mined = mempool.read(id);
    if (mined !== undefined) mempool.remove(mined);
    for (const { hash, index } of tx.ins) {
      const spender = mempool.spender(outpointKey(hash, index));
      if (spender === undefined) continue;
      for (const entry of withDescendants([spender])) mempool.remove(entry);
    }
  }
}

/**
 * Judges everything anew, the transactions of blocks taken back first, oldest first: coins of coinbases may be
 * immature again, lock times open, and parents gone.
 */
function readmit(removed: readonly RegtestBlock[], context: MempoolContext, heightOf: (block: RegtestBlock) => number): void {
  const { mempool } = context;
  const before = [...mempool.all()].sort(byAncestors);
  for (const entry of before) mempool.remove(entry);
  const tryAgain = (transaction: RegtestTransaction, kept: Partial<MempoolEntry>): void => {
    const verdict = judge(transaction, { ...context, arrival: 'return' });
    if ('entry' in verdict) admit({ ...verdict, entry: { ...verdict.entry, ...kept } }, context);
  };
  for (const block of [...removed].reverse()) {
    for (const transaction of block.transactions.slice(1)) tryAgain(transaction, { height: heightOf(block) });
  }
  for (const entry of before) {
    const { height, timeSeconds, unbroadcast } = entry;
    tryAgain(entry, { height, timeSeconds, unbroadcast });
  }
}

/** Parents before children, else in the order they came. */
function byAncestors(a: MempoolEntry, b: MempoolEntry): number {
  return withAncestors([a]).size - withAncestors([b]).size || a.sequence - b.sequence;
}
