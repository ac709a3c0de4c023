import { toDigits } from '@hemid/protocol';
import type { Store, Table } from '@hemid/store';

/** What is found to differ, in words; all of it is counted, the first ones are kept. */
export interface Differences {
  add(what: string): void;
  count(): number;
  /** At most {@link SHOWN}. */
  lines(): readonly string[];
}

const SHOWN = 20;

/** No {@link Differences} yet. */
export function createDifferences(): Differences {
  const lines: string[] = [];
  let count = 0;
  return {
    add(what) {
      count += 1;
      if (lines.length < SHOWN) lines.push(what);
    },
    count: () => count,
    lines: () => lines,
  };
}

/** Rows of a table as keys and values in hex. */
async function* hexRows(store: Store, table: Table<unknown, unknown>): AsyncGenerator<[string, string]> {
  for await (const [key, value] of store.range(table)) yield [toDigits(table.key.encode(key)), toDigits(table.value.encode(value))];
}

/** Holds the rows of a table, named `name`, against those that executing the chain again gave. */
export async function compareTable(
  name: string,
  table: Table<unknown, unknown>,
  stores: { found: Store; expected: Store },
  to: Differences,
): Promise<void> {
  const [found, expected] = [hexRows(stores.found, table), hexRows(stores.expected, table)];
  let [a, b] = [await found.next(), await expected.next()];
  while (a.done !== true || b.done !== true) {
    if (b.done === true || (a.done !== true && a.value[0] < b.value[0])) {
      to.add(`${name} has a row ${a.value[0]} that must not be there`);
      a = await found.next();
    } else if (a.done === true || b.value[0] < a.value[0]) {
      to.add(`${name} lacks the row ${b.value[0]}`);
      b = await expected.next();
    } else {
      if (a.value[1] !== b.value[1]) to.add(`${name} has another value in row ${a.value[0]}`);
      [a, b] = [await found.next(), await expected.next()];
    }
  }
}
