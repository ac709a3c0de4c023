import type { AbstractLevel } from 'abstract-level';
import { ClassicLevel } from 'classic-level';
import { MemoryLevel } from 'memory-level';
import type { Codec } from './codec.ts';
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
  /** Rows in key order, from an implicit snapshot taken when the iteration starts. */
  range<K, V>(table: Table<K, V>, range?: Range): AsyncIterable<[K, V]>;
  batch(): Batch;
  close(): Promise<void>;
}

type Level = AbstractLevel<string | Buffer | Uint8Array, Uint8Array, Uint8Array>;

function rowKey<K>(table: Table<K, unknown>, key: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(key.length + 1);
  bytes[0] = table.prefix.charCodeAt(0);
  bytes.set(key, 1);
  return bytes;
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

function createBatch(level: Level, reader: Reader): Batch {
  const writes = new Map<string, { key: Uint8Array; value: Uint8Array | undefined }>();
  const name = (key: Uint8Array): string => Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
  let committed = false;
  return {
    get(table, key) {
      const write = writes.get(name(rowKey(table, table.key.encode(key))));
      if (write === undefined) return reader.get(table, key);
      return write.value === undefined ? undefined : table.value.decode(write.value);
    },
    put(table, key, value) {
      const row = rowKey(table, table.key.encode(key));
      writes.set(name(row), { key: row, value: table.value.encode(value) });
    },
    del(table, key) {
      const row = rowKey(table, table.key.encode(key));
      writes.set(name(row), { key: row, value: undefined });
    },
    async commit() {
      if (committed) throw fail('store/unusable', 'a batch was committed twice');
      committed = true;
      const operations = [...writes.values()].map(({ key, value }) =>
        value === undefined ? { type: 'del' as const, key } : { type: 'put' as const, key, value },
      );
      await level.batch(operations, { sync: true } as object);
    },
  };
}

function createStore(level: Level): Store {
  const store: Store = {
    get(table, key) {
      const bytes = level.getSync(rowKey(table, table.key.encode(key)));
      return bytes === undefined ? undefined : table.value.decode(toPlain(bytes));
    },
    async *range(table, range = {}) {
      const prefix = rowKey(table, range.prefix ?? new Uint8Array());
      const gte = range.from === undefined ? prefix : rowKey(table, range.from);
      const iterator = level.iterator({
        gte,
        lt: after(prefix),
        reverse: range.reverse ?? false,
        limit: range.limit ?? -1,
      });
      for await (const [key, value] of iterator) {
        yield [table.key.decode(toPlain(key).subarray(1)), table.value.decode(toPlain(value))];
      }
    },
    batch: () => createBatch(level, store),
    close: () => level.close(),
  };
  return store;
}

/** A store in memory, for tests and for the throw-away mode of tools. */
export async function openMemoryStore(): Promise<Store> {
  const level = new MemoryLevel<Uint8Array, Uint8Array>({
    keyEncoding: 'view',
    valueEncoding: 'view',
    storeEncoding: 'view',
  });
  await level.open();
  return createStore(level as unknown as Level);
}

/**
 * Opens (and creates, if it is not there) the database in `directory`.
 *
 * @throws `store/locked` when another process has it open, `store/corrupt` when LevelDB finds damage,
 * `store/unusable` otherwise. Nothing is deleted in any of these cases.
 */
export async function openStore(directory: string): Promise<Store> {
  const level = new ClassicLevel<Uint8Array, Uint8Array>(directory, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    paranoidChecks: true,
    // Bulk writes pay for every flush: larger tables, fewer of them. Two such buffers and the cache are the memory it takes.
    writeBufferSize: 32 << 20,
    cacheSize: 32 << 20,
  } as object);
  try {
    await level.open();
  } catch (error) {
    throw openError(directory, error);
  }
  return createStore(level as unknown as Level);
}

function openError(directory: string, error: unknown): Error {
  const cause = (error as { cause?: { code?: string; message?: string } }).cause;
  const reason = cause?.message ?? String(error);
  if (cause?.code === 'LEVEL_LOCKED') {
    return fail('store/locked', `${directory} is in use by another process: stop it, or choose another --data directory`, {
      cause: error,
    });
  }
  if (cause?.code === 'LEVEL_CORRUPTION' || /corrupt/i.test(reason)) {
    return fail('store/corrupt', `${directory} is damaged (${reason}). Move the directory away and let the node sync again from its upstream`, {
      cause: error,
    });
  }
  return fail('store/unusable', `cannot open ${directory}: ${reason}`, { cause: error });
}
