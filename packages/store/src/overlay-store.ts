import type { Batch, Range, Reader, Store, Table } from './store.ts';

export interface OverlayOptions {
  /** The tables of the lower store that show through; all of them when left out. */
  shown?: readonly { prefix: string }[];
}

interface Write {
  table: Table<unknown, unknown>;
  key: unknown;
  value: unknown;
}

const nameOf = <K>(table: Table<K, unknown>, key: K): string => table.prefix + Buffer.from(table.key.encode(key)).toString('latin1');

/** Rows of two ascending (or descending) streams without common keys, as one stream. */
async function* merge<K, V>(a: AsyncIterable<[K, V]>, b: AsyncIterable<[K, V]>, isFirst: (x: K, y: K) => boolean): AsyncIterable<[K, V]> {
  const [left, right] = [a[Symbol.asyncIterator](), b[Symbol.asyncIterator]()];
  try {
    let [x, y] = [await left.next(), await right.next()];
    while (x.done !== true || y.done !== true) {
      if (y.done === true || (x.done !== true && isFirst(x.value[0], y.value[0]))) {
        yield x.value as [K, V];
        x = await left.next();
      } else {
        yield y.value as [K, V];
        y = await right.next();
      }
    }
  } finally {
    await left.return?.();
    await right.return?.();
  }
}

/**
 * A store over another one, which it never writes: all writes go to `above`. Which rows of `below` were deleted is kept
 * in memory.
 */
export function createOverlayStore(below: Store, above: Store, options: OverlayOptions = {}): Store {
  const gone = new Set<string>();
  const shown = options.shown === undefined ? undefined : new Set(options.shown.map(({ prefix }) => prefix));
  let begun = 0;
  let ended = 0;
  const isShown = (table: { prefix: string }): boolean => shown?.has(table.prefix) ?? true;

  function get<K, V>(table: Table<K, V>, key: K): V | undefined {
    const own = above.get(table, key);
    if (own !== undefined || !isShown(table) || gone.has(nameOf(table, key))) return own;
    return below.get(table, key);
  }

  async function* lower<K, V>(table: Table<K, V>, range: Range): AsyncIterable<[K, V]> {
    for await (const row of below.range(table, range)) {
      if (!gone.has(nameOf(table, row[0])) && above.get(table, row[0]) === undefined) yield row;
    }
  }

  async function* range<K, V>(table: Table<K, V>, wanted: Range = {}): AsyncIterable<[K, V]> {
    const { limit = Number.POSITIVE_INFINITY, ...rest } = wanted;
    const isFirst = (x: K, y: K): boolean => Buffer.compare(table.key.encode(x), table.key.encode(y)) < 0 !== (wanted.reverse ?? false);
    let left = limit;
    if (left <= 0) return;
    for await (const row of isShown(table) ? merge(above.range(table, rest), lower(table, rest), isFirst) : above.range(table, rest)) {
      yield row;
      left -= 1;
      if (left <= 0) return;
    }
  }

  function batch(): Batch {
    const writes = new Map<string, Write>();
    const note = <K, V>(table: Table<K, V>, key: K, value: V | undefined): void => {
      writes.set(nameOf(table, key), { table: table as Table<unknown, unknown>, key, value });
    };
    return {
      get<K, V>(table: Table<K, V>, key: K): V | undefined {
        const write = writes.get(nameOf(table, key));
        return write === undefined ? get(table, key) : (write.value as V | undefined);
      },
      put: note,
      del: (table, key) => note(table, key, undefined),
      async commit() {
        begun += 1;
        try {
          const target = above.batch();
          for (const { table, key, value } of writes.values()) {
            if (value === undefined) target.del(table, key);
            else target.put(table, key, value);
          }
          await target.commit();
          for (const [name, { table, value }] of writes) {
            if (value !== undefined) gone.delete(name);
            else if (isShown(table)) gone.add(name);
          }
        } finally {
          ended += 1;
        }
      },
    };
  }

  function generation(): number | undefined {
    const lower = below.generation();
    return lower === undefined || begun !== ended ? undefined : lower + ended;
  }

  return {
    get: get satisfies Reader['get'],
    generation,
    range,
    batch,
    async measure(table) {
      const size = { rows: 0, bytes: 0 };
      for await (const [key, value] of range(table)) {
        size.rows += 1;
        size.bytes += 1 + table.key.encode(key).length + table.value.encode(value).length;
      }
      return size;
    },
    compact: above.compact,
    close: above.close,
  };
}
