import type { Clock, Random } from '@hemid/runtime';
import { fail } from './errors.ts';
import type { Feed } from './feed.ts';
import { type LogQuery, matchesLive } from './log-filter.ts';
import { showLog } from './log-shape.ts';
import { createId } from './random-id.ts';

/** What a filter collects. */
export type FilterKind = { collects: 'logs'; query: LogQuery } | { collects: 'blocks' } | { collects: 'transactions' };

/** Filters that clients poll (`eth_newFilter` and its kin). */
export interface Filters {
  /** @returns the id; @throws `rpc/limit` when there are too many. */
  open(kind: FilterKind): string;
  /** What came since the last call; @throws `rpc/not-found` in geth's words. */
  takeChanges(id: string): unknown[];
  /** What the filter was opened with. */
  get(id: string): FilterKind;
  /** Whether there was such a filter. */
  close(id: string): boolean;
}

interface Entry {
  kind: FilterKind;
  pending: unknown[];
  usedAtMs: number;
  unsubscribe: () => void;
}

const MAX_FILTERS = 1000;
/** A filter that nobody asks for so long is closed. */
const EXPIRY_MS = 5 * 60_000;
/** A filter that holds more than this, unasked, is closed. */
const MAX_PENDING = 10_000;

/** Creates the {@link Filters} of a feed. */
export function createFilters(deps: { feed: Feed; clock: Clock; random: Random }): Filters {
  const { feed, clock, random } = deps;
  const entries = new Map<string, Entry>();

  function close(id: string): boolean {
    entries.get(id)?.unsubscribe();
    return entries.delete(id);
  }

  function closeExpired(): void {
    const oldest = clock.now() - EXPIRY_MS;
    for (const [id, entry] of entries) if (entry.usedAtMs < oldest) close(id);
  }

  function getEntry(id: string): Entry {
    closeExpired();
    const entry = entries.get(id);
    if (entry === undefined) throw fail('rpc/not-found', 'filter not found');
    entry.usedAtMs = clock.now();
    return entry;
  }

  function listen(kind: FilterKind, collect: (items: unknown[]) => void): () => void {
    if (kind.collects === 'blocks') return feed.onBlock(({ hash }) => collect([hash]));
    if (kind.collects === 'transactions') return feed.onTransaction(({ hash }) => collect([hash]));
    return feed.onLogs((logs) => collect(logs.filter(({ log, block }) => matchesLive(kind.query, log, block.header.number)).map(showLog)));
  }

  return {
    open(kind) {
      closeExpired();
      if (entries.size >= MAX_FILTERS)
        throw fail('rpc/limit', `too many filters: ${MAX_FILTERS} are open, uninstall some or subscribe over a websocket`);
      const id = createId(random);
      const collect = (items: unknown[]): void => {
        const pending = entries.get(id)?.pending ?? [];
        for (const item of items) pending.push(item);
        if (pending.length > MAX_PENDING) close(id);
      };
      entries.set(id, { kind, pending: [], usedAtMs: clock.now(), unsubscribe: listen(kind, collect) });
      return id;
    },
    takeChanges(id) {
      const entry = getEntry(id);
      const changes = entry.pending;
      entry.pending = [];
      return changes;
    },
    get: (id) => getEntry(id).kind,
    close(id) {
      closeExpired();
      return close(id);
    },
  };
}
