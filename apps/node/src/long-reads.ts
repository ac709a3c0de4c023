import type { LongReads } from '@hemid/rpc';
import type { Clock, Logger, Service } from '@hemid/runtime';
import type { Node } from './node.ts';
import { createReadThread, type ReadCounts, type ReadThread } from './read-thread.ts';

/** The threads that a node reads with beside its main one. */
export interface ReadThreads extends LongReads, Service {
  counts(): ReadCounts;
}

export interface ReadThreadsOptions {
  /** Of the database, open for several threads. */
  directory: string;
  threads: number;
}

/** Creates the {@link ReadThreads} of a node, if it has any; they must stop before its database is closed. */
export function openReadThreads(
  { chain, stateWindow }: Pick<Node, 'chain' | 'stateWindow'>,
  { directory, threads: count }: ReadThreadsOptions,
  deps: { clock: Clock; log: Logger },
): ReadThreads | undefined {
  if (count === 0) return undefined;
  const threads = Array.from({ length: count }, () => createReadThread(deps, { directory, spec: chain.spec, stateWindow }));
  const callsOf = (thread: ReadThread): number => thread.counts().calls;

  return {
    name: 'read-threads',
    start: () => undefined,
    async stop() {
      await Promise.all(threads.map((thread) => thread.stop()));
    },
    counts: () =>
      threads
        .map((thread) => thread.counts())
        .reduce((a, b) => ({ calls: a.calls + b.calls, answered: a.answered + b.answered, lost: a.lost + b.lost })),
    run(call, isOver) {
      const { safe, finalized } = chain.labels();
      const free = threads.reduce((best, thread) => (callsOf(thread) < callsOf(best) ? thread : best));
      return free.run({ call, labels: { safe: safe.hash, finalized: finalized.hash } }, isOver);
    },
  };
}
