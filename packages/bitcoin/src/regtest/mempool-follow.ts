import type { RegtestBlock } from './block.ts';
import type { ChainMove } from './chain.ts';
import { type Acceptance, judge, type MempoolContext } from './mempool-accept.ts';
import { type MempoolEntry, withAncestors, withDescendants } from './mempool.ts';
import { outpointKey, type RegtestTransaction } from './transaction.ts';

/** Lets in what {@link judge} accepted, and drops what it replaces. */
export function admit({ entry, replaced }: Acceptance, { mempool }: Pick<MempoolContext, 'mempool'>): void {
  for (const old of replaced) mempool.remove(old);
  mempool.add(entry);
}

/** Brings the mempool in line with a chain that has moved. */
export function followChain({ removed, added }: ChainMove, context: MempoolContext): void {
  for (const block of added) takeOut(block, context);
  if (removed.length > 0) readmit(removed, context);
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
function readmit(removed: readonly RegtestBlock[], context: MempoolContext): void {
  const { mempool, chain } = context;
  const before = [...mempool.all()].sort(byAncestors);
  for (const entry of before) mempool.remove(entry);
  const returning = [...removed].reverse().flatMap(({ transactions }) => transactions.slice(1));
  const returned = new Set(returning.map(({ id }) => id));
  const tryAgain = (transaction: RegtestTransaction, was?: MempoolEntry): void => {
    const verdict = judge(transaction, { ...context, arrival: 'return' });
    if (!('entry' in verdict)) return;
    const kept = was === undefined ? { height: chain.tip().height } : { height: was.height, timeSeconds: was.timeSeconds };
    admit({ ...verdict, entry: { ...verdict.entry, ...kept } }, context);
  };
  for (const transaction of returning) tryAgain(transaction);
  for (const entry of before) if (!returned.has(entry.id)) tryAgain(entry, entry);
}

/** Parents before children, else in the order they came. */
function byAncestors(a: MempoolEntry, b: MempoolEntry): number {
  return withAncestors([a]).size - withAncestors([b]).size || a.sequence - b.sequence;
}
