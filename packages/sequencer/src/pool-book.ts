import { createFeeOrder, type Priced } from './fee-order.ts';
import { type Account, createAccount, lowest, moveTo, type Pooled, put, readAt, readLast, take } from './pool-account.ts';
import { createCursor, type PoolCursor } from './pool-cursor.ts';

/** The last transaction of a sender, at the price of the cheapest of all of the sender's. */
export interface Tail extends Priced {
  readonly pooled: Pooled;
}

/** Hears what comes into the pool and what leaves it. */
export interface PoolWatcher {
  added(pooled: Pooled): void;
  removed(pooled: Pooled): void;
}

/** Who waits in the pool, in what order. It decides nothing. */
export interface Book {
  counts(): { pending: number; queued: number; bytes: number };
  read(key: string): Pooled | undefined;
  account(sender: string): Readonly<Account> | undefined;
  accounts(): Iterable<Readonly<Account>>;
  /** Puts a transaction in its place, in place of what stood there; `nonce` is the sender's in the state, not above it. */
  put(pooled: Pooled, nonce: bigint): void;
  /** Takes a transaction out; those behind it wait from now on. */
  remove(pooled: Pooled): void;
  /** Follows the nonce of a sender in the state. */
  moveTo(sender: string, nonce: bigint): void;
  /** The worst paid of the last transactions of all senders, among those that wait or those that do not. */
  cheapest(kind: 'pending' | 'queued', baseFee: bigint): Tail | undefined;
  candidates(baseFee: bigint): PoolCursor;
  watch(watcher: PoolWatcher): () => void;
}

/** An account, and what of it stands in the orders and sums of the book. */
interface Entry {
  account: Account;
  head: Pooled | undefined;
  tail: Tail | undefined;
  /** The order that `tail` stands in. */
  kind: 'pending' | 'queued';
  pending: number;
  queued: number;
}

function tailOf(account: Account): Tail | undefined {
  const last = readLast(account);
  const worth = lowest([...account.run.slice(-1).map((pooled) => pooled.worth), ...account.queued.values()]);
  return last && worth && { pooled: last, arrival: last.arrival, ...worth, slack: worth.cap - worth.tip, byPrice: -1, bySlack: -1 };
}

/** Creates an empty {@link Book}; `now` gives milliseconds. */
export function createBook(now: () => number): Book {
  const entries = new Map<string, Entry>();
  const byKey = new Map<string, Pooled>();
  const watchers = new Set<PoolWatcher>();
  const heads = createFeeOrder<Pooled>('best');
  const tails = { pending: createFeeOrder<Tail>('worst'), queued: createFeeOrder<Tail>('worst') };
  /** Entries whose tail is not in order: it is asked for only when the pool is full. */
  const changed = new Set<Entry>();
  const sums = { pending: 0, queued: 0, bytes: 0 };
  let lastArrival = 0;

  function orderHead(entry: Entry): void {
    const [head] = entry.account.run;
    if (head === entry.head) return;
    if (entry.head !== undefined) heads.delete(entry.head);
    if (head !== undefined) heads.add(head);
    entry.head = head;
  }

  function orderTail(entry: Entry): void {
    const { account, tail, kind } = entry;
    if (tail !== undefined) tails[kind].delete(tail);
    entry.tail = tailOf(account);
    entry.kind = account.queued.size > 0 ? 'queued' : 'pending';
    if (entry.tail !== undefined) tails[entry.kind].add(entry.tail);
    changed.delete(entry);
  }

  /** Brings orders and sums up to date with an account that has changed. */
  function settle(entry: Entry): void {
    const { run, queued, sender } = entry.account;
    sums.pending += run.length - entry.pending;
    sums.queued += queued.size - entry.queued;
    entry.pending = run.length;
    entry.queued = queued.size;
    orderHead(entry);
    changed.add(entry);
    if (run.length > 0 || queued.size > 0) return;
    orderTail(entry);
    entries.delete(sender);
  }

  function open(sender: string, nonce: bigint): Entry {
    const known = entries.get(sender);
    if (known !== undefined) return known;
    const account = createAccount(sender, nonce);
    const entry: Entry = { account, head: undefined, tail: undefined, kind: 'pending', pending: 0, queued: 0 };
    entries.set(sender, entry);
    return entry;
  }

  function note(pooled: Pooled): void {
    byKey.set(pooled.key, pooled);
    sums.bytes += pooled.transaction.raw.length;
    lastArrival = Math.max(lastArrival, pooled.arrival);
    for (const watcher of watchers) watcher.added(pooled);
  }

  function forget(pooled: Pooled): void {
    byKey.delete(pooled.key);
    sums.bytes -= pooled.transaction.raw.length;
    for (const watcher of watchers) watcher.removed(pooled);
  }

  function follow(entry: Entry, nonce: bigint): void {
    if (entry.account.nonce === nonce) return;
    for (const pooled of moveTo(entry.account, nonce, now())) forget(pooled);
    settle(entry);
  }

  return {
    counts: () => ({ ...sums }),
    read: (key) => byKey.get(key),
    account: (sender) => entries.get(sender)?.account,
    *accounts() {
      for (const { account } of entries.values()) yield account;
    },
    put(pooled, nonce) {
      const known = entries.get(pooled.sender);
      if (known !== undefined) follow(known, nonce);
      const entry = open(pooled.sender, nonce);
      const old = readAt(entry.account, pooled.nonce);
      if (old !== undefined) forget(old);
      put(entry.account, pooled, now());
      note(pooled);
      settle(entry);
    },
    remove(pooled) {
      const entry = entries.get(pooled.sender);
      if (entry === undefined || !take(entry.account, pooled, now())) return;
      forget(pooled);
      settle(entry);
    },
    moveTo(sender, nonce) {
      const entry = entries.get(sender);
      if (entry !== undefined) follow(entry, nonce);
    },
    cheapest(kind, baseFee) {
      for (const entry of changed) orderTail(entry);
      return tails[kind].first(baseFee);
    },
    candidates(baseFee) {
      const heaps = heads.at(baseFee).map((heap) => heap.slice());
      const read = (sender: string, nonce: bigint): Pooled | undefined => {
        const account = entries.get(sender)?.account;
        return account?.run[Number(nonce - account.nonce)];
      };
      return createCursor({ heaps, baseFee, lastArrival, read });
    },
    watch(watcher) {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
  };
}
