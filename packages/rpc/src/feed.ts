import type { ChainReader, HeadChange, PlacedL2Header } from '@hemid/chain';
import type { UserTransaction } from '@hemid/hvm';
import { equal } from '@hemid/protocol';
import type { Logger } from '@hemid/runtime';
import { logsOfBlock, type PlacedLog } from './log-shape.ts';
import type { TransactionPool } from './ports.ts';

/** What happens on the chain and in the pool, as filters and subscriptions want it; each `on…` gives an unsubscribe. */
export interface Feed {
  /** Each block that became canonical, in order. */
  onBlock(listener: (block: PlacedL2Header) => void): () => void;
  /** Logs of one change of the head: first those that a reorg removed, newest first, then the new ones. */
  onLogs(listener: (logs: PlacedLog[]) => void): () => void;
  onTransaction(listener: (transaction: UserTransaction) => void): () => void;
  /** Each change of the canonical chain: `removed` lowest first, as `added`. */
  onChange(listener: (change: HeadChange) => void): () => void;
  /** After `safe` or `finalized` moved. */
  onLabels(listener: () => void): () => void;
  close(): void;
}

interface Topic<T> {
  on(listener: (value: T) => void): () => void;
  emit(value: T): void;
  isHeard(): boolean;
}

function createTopic<T>(log: Logger): Topic<T> {
  const listeners = new Set<(value: T) => void>();
  return {
    on(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    emit(value) {
      for (const listener of listeners) {
        try {
          listener(value);
        } catch (error) {
          // The chain calls this while it commits: a subscriber's fault must not reach it.
          log.error({ err: error }, 'rpc subscriber failed');
        }
      }
    },
    isHeard: () => listeners.size > 0,
  };
}

/** Opens the {@link Feed} of a chain and a pool. */
export function createFeed(deps: { chain: ChainReader; pool: TransactionPool; log: Logger }): Feed {
  const { chain, pool, log } = deps;
  const blocks = createTopic<PlacedL2Header>(log);
  const logs = createTopic<PlacedLog[]>(log);
  const transactions = createTopic<UserTransaction>(log);
  const changes = createTopic<HeadChange>(log);
  const labels = createTopic<void>(log);
  const readLabels = (): Uint8Array[] => [chain.head('safe').hash, chain.head('finalized').hash];
  let known = readLabels();

  function lookAtLabels(): void {
    const now = readLabels();
    const isSame = now.every((hash, i) => equal(hash, known[i] as Uint8Array));
    known = now;
    if (!isSame) labels.emit();
  }

  function follow(change: HeadChange): void {
    const { removed, added } = change;
    if (logs.isHeard()) {
      const gone = removed.flatMap((block) => logsOfBlock(chain, block).reverse()).map((placed) => ({ ...placed, removed: true }));
      const come = added.flatMap((block) => logsOfBlock(chain, block));
      if (gone.length + come.length > 0) logs.emit([...gone, ...come]);
    }
    for (const block of added) blocks.emit(block);
    if (removed.length + added.length > 0) changes.emit(change);
    lookAtLabels();
  }

  const stopChain = chain.onHead(follow);
  const stopPool = pool.onTransaction(transactions.emit);
  return {
    onBlock: blocks.on,
    onLogs: logs.on,
    onTransaction: transactions.on,
    onChange: changes.on,
    onLabels: labels.on,
    close() {
      stopChain();
      stopPool();
    },
  };
}
