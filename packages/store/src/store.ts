import { setImmediate as nextTurn } from 'node:timers/promises';
import { isHemidError } from '@hemid/protocol';
import type { AbstractLevel, AbstractSnapshot } from 'abstract-level';
import type { Codec } from './codec.ts';
import type { CommitChain } from './commit-chain.ts';
import { fail } from './errors.ts';

/** A typed key space: one prefix character, a key codec, a value codec. All of them stand in `layout.ts`. */
export interface Table<K, V> {
  prefix: string;
  key: Codec<K>;
  value: Codec<V>;
}

export interface Range {
  /** Only keys that begin with these bytes. */
  prefix?: Uint8Array;
  /** From this key on (bytes behind the table's prefix), inclusive. */
  from?: Uint8Array;
  reverse?: boolean;
  limit?: number;
}

/** What reads a table: the store, or a batch that also sees its own writes. */
export interface Reader {
  /** The value, or `undefined` if there is none. Synchronous: LevelDB answers from memory most of the time. */
  get<K, V>(table: Table<K, V>, key: K): V | undefined;
}

/** Writes across tables that become visible and durable together, or not at all. */
export interface Batch extends Reader {
  put<K, V>(table: Table<K, V>, key: K, value: V): void;
  del<K, V>(table: Table<K, V>, key: K): void;
  /** Writes and syncs to disk. A batch is committed once. */
  commit(): Promise<void>;
}

/** The one database of a process. */
export interface Store extends Reader {
  /** Another number after each commit, and `undefined` while one is under way: what was read at a number holds as long as that is the same. */
  generation(): number | undefined;
  /** Rows in key order, from an implicit snapshot taken when the iteration starts. */
  range<K, V>(table: Table<K, V>, range?: Range): AsyncIterable<[K, V]>;
  batch(): Batch;
  /** Counts a table; every row of it is read. */
  measure<K, V>(table: Table<K, V>): Promise<TableSize>;
  /** Rewrites the files without what was deleted or replaced; in memory it does nothing. */
  compact(): Promise<void>;
  close(): Promise<void>;
}

export interface TableSize {
  rows: number;
  /** Of keys and values, as they are before LevelDB compresses them. */
  bytes: number;
}

/** What a store is made on. */
export type Level = AbstractLevel<string | Buffer | Uint8Array, Uint8Array, Uint8Array>;

function rowKey<K>(table: Table<K, unknown>, key: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(key.length + 1);
  bytes[0] = table.prefix.charCodeAt(0);
  bytes.set(key, 1);
  return bytes;
}

const fromLatin = (text: string): Uint8Array => Buffer.from(text, 'latin1');

/** A row's key as latin1 text. */
function rowName<K>(table: Table<K, unknown>, key: K): string {
  if (table.key.latin !== undefined) return table.prefix + table.key.latin(key);
  const bytes = table.key.encode(key);
  return table.prefix + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

/** LevelDB gives Buffers, whose `slice` shares memory; everybody above is promised plain arrays. */
function toPlain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The smallest key above every key that begins with `prefix`. */
function after(prefix: Uint8Array): Uint8Array {
  const bytes = prefix.slice();
  for (let i = bytes.length - 1; i >= 0; i -= 1) {
    const byte = bytes[i] ?? 0;
    if (byte < 0xff) {
      bytes[i] = byte + 1;
      return bytes.subarray(0, i + 1);
    }
  }
  throw fail('store/corrupt', 'no key is above this prefix');
}

/** Rows of a batch that are handed to LevelDB before other work gets its turn. */
const ROWS_PER_TURN = 2048;

/** Takes the rows of one batch to the disk; keys are row keys, latin1. */
type Write = (rows: ReadonlyMap<string, Uint8Array | undefined>) => Promise<void>;

/** Writes batches in the order of their commits; after one that failed, none. */
function createWrite(level: Level, chain: CommitChain | undefined): { write: Write; generation: Store['generation'] } {
  let tail: Promise<void> = Promise.resolve();
  let begun = 0;
  let ended = 0;

  async function write(rows: ReadonlyMap<string, Uint8Array | undefined>): Promise<void> {
    try {
      // A chained batch hands each row to LevelDB at once: a third of the time and garbage of an array of operations.
      const batch = level.batch();
      let count = 0;
      for (const [name, value] of rows) {
        count += 1;
        if (count % ROWS_PER_TURN === 0) await nextTurn();
        if (value === undefined) batch.del(fromLatin(name));
        else batch.put(fromLatin(name), value);
      }
      chain?.extend(batch);
      await batch.write({ sync: true } as object);
    } catch (error) {
      throw levelError('written', error);
    }
  }

  return {
    write(rows) {
      begun += 1;
      tail = tail.then(() => write(rows)).finally(() => (ended += 1));
      // The batch hears it, and those behind it.
      tail.catch(() => undefined);
      return tail;
    },
    generation: () => (begun === ended ? ended : undefined),
  };
}

function createBatch(write: Write, reader: Reader): Batch {
  /** Values by row key, latin1. */
  const writes = new Map<string, Uint8Array | undefined>();
  let committed = false;
  return {
    get(table, key) {
      const name = rowName(table, key);
      if (!writes.has(name)) return reader.get(table, key);
      const value = writes.get(name);
      return value === undefined ? undefined : table.value.decode(value);
    },
    put: (table, key, value) => void writes.set(rowName(table, key), table.value.encode(value)),
    del: (table, key) => void writes.set(rowName(table, key), undefined),
    async commit() {
      if (committed) throw fail('store/unusable', 'a batch was committed twice');
      committed = true;
      await write(writes);
    },
  };
}

/** LevelDB's own words for a read or write that failed, as an error that stops the node. */
export function levelError(what: 'read' | 'written', error: unknown): unknown {
  const { code, message, cause } = error as { code?: string; message?: string; cause?: { message?: string } };
  // A closed store is the caller's fault, not the disk's.
  if (isHemidError(error) || code?.endsWith('_NOT_OPEN') === true) return error;
  const reason = cause?.message ?? message ?? String(error);
  if (what === 'written') return fail('store/write-failed', `the data directory cannot be written: ${reason}`, { cause: error });
  return fail('store/corrupt', `the data directory cannot be read: ${reason}`, { cause: error });
}

/** How a {@link Store} stands on its database. */
export interface StoreOptions {
  /** Numbers the batches. */
  chain?: CommitChain;
  compact?: () => Promise<void>;
  /** What is read is the database as it was then; closing the store closes it, and not the database. */
  snapshot?: AbstractSnapshot;
  /** `reader`: another thread writes, and every write here throws `store/read-only`. */
  role?: 'writer' | 'reader';
  guard?: Guard;
}

/** Makes something that LevelDB holds for its thread. */
export type Guard = <T>(make: () => T) => T;

function refuseWrite(): never {
  throw fail('store/read-only', 'this thread only reads the data directory');
}

/** Creates the {@link Store} of an open database. */
export function createStore(level: Level, { chain, compact = async () => undefined, snapshot, role = 'writer', guard }: StoreOptions = {}): Store {
  const { write, generation } = createWrite(level, chain);
  const at = snapshot && { snapshot };

  function read(key: Uint8Array): Uint8Array | undefined {
    try {
      return at === undefined ? level.getSync(key) : level.getSync(key, at);
    } catch (error) {
      throw levelError('read', error);
    }
  }

  async function* rows(options: object): AsyncIterable<[Uint8Array, Uint8Array]> {
    try {
      const make = () => level.iterator({ ...options, ...at });
      yield* guard === undefined ? make() : guard(make);
    } catch (error) {
      throw levelError('read', error);
    }
  }

  const store: Store = {
    // What a reader sees moves without its doing, unless it looks at a snapshot.
    generation: role === 'reader' && snapshot === undefined ? () => undefined : generation,
    get(table, key) {
      const bytes = read(rowKey(table, table.key.encode(key)));
      return bytes === undefined ? undefined : table.value.decode(toPlain(bytes));
    },
    async *range(table, range = {}) {
      const prefix = rowKey(table, range.prefix ?? new Uint8Array());
      const gte = range.from === undefined ? prefix : rowKey(table, range.from);
      const options = { gte, lt: after(prefix), reverse: range.reverse ?? false, limit: range.limit ?? -1 };
      for await (const [key, value] of rows(options)) {
        yield [table.key.decode(toPlain(key).subarray(1)), table.value.decode(toPlain(value))];
      }
    },
    batch: () => (role === 'writer' ? createBatch(write, store) : refuseWrite()),
    async measure(table) {
      const prefix = rowKey(table, new Uint8Array());
      const size = { rows: 0, bytes: 0 };
      for await (const [key, value] of rows({ gte: prefix, lt: after(prefix) })) {
        size.rows += 1;
        size.bytes += key.length + value.length;
      }
      return size;
    },
    compact: role === 'writer' ? compact : refuseWrite,
    close: () => (snapshot ?? level).close(),
  };
  return store;
}
