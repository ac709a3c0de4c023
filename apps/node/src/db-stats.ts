import { toDisplay, toHex } from '@hemid/protocol';
import { layout, type Store, type Table } from '@hemid/store';
import { type DbContext, type DbEnd, lowestUndo, readHead } from './db-node.ts';

const group = (value: number | bigint): string => value.toString().replace(/\B(?=(\d{3})+$)/g, ',');

async function tableLines(store: Store): Promise<{ lines: string[]; rows: number; bytes: number }> {
  const lines: string[] = [`${'table'.padEnd(20)} ${'rows'.padStart(14)} ${'bytes'.padStart(18)}`];
  let [rows, bytes] = [0, 0];
  for (const [name, table] of Object.entries(layout) as [string, Table<unknown, unknown>][]) {
    const size = await store.measure(table);
    lines.push(`${`${name} (${table.prefix})`.padEnd(20)} ${group(size.rows).padStart(14)} ${group(size.bytes).padStart(18)}`);
    rows += size.rows;
    bytes += size.bytes;
  }
  return { lines, rows, bytes };
}

/** Where the state and each follower of Bitcoin stand. */
async function positionLines(store: Store): Promise<string[]> {
  const lines: string[] = [];
  for await (const [name, { hash, height }] of store.range(layout.position)) {
    lines.push(name === 'state' ? `state: block ${height} ${toHex(hash)}` : `bitcoin ${name}: height ${height} ${toDisplay(hash)}`);
  }
  const lowest = await lowestUndo(store);
  return [...lines, lowest === undefined ? 'state history: none' : `state history: back to block ${lowest - 1n}`];
}

/** `hemid db stats`: rows and bytes of each table, and where everything stands. */
export async function runDbStats({ store, write }: DbContext): Promise<DbEnd> {
  const { lines, rows, bytes } = await tableLines(store);
  for (const line of [...lines, ...(await positionLines(store))]) write(line);
  const head = await readHead(store);
  const where = head === undefined ? 'no chain' : `head ${head.header.number} ${toHex(head.hash)}`;
  return { line: `stats: ${group(rows)} rows, ${group(bytes)} bytes, ${where}` };
}
