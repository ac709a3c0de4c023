import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { layout, openStore, type Store } from '../src/index.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hemid-chain-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function put(store: Store, number: bigint): Promise<void> {
  const batch = store.batch();
  batch.put(layout.canonical, number, new Uint8Array(32));
  await batch.commit();
}

/** Row number `n` of the chain. */
const rowOf = (n: number): Uint8Array => Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, n);

test('a database that lacks a write in the middle is refused; one that lacks its last ones is an earlier one', async () => {
  const store = await openStore(directory);
  await Promise.all([1n, 2n, 3n, 4n, 5n].map((number) => put(store, number)));
  await store.close();
  const lose = async (n: number): Promise<void> => {
    const level = new ClassicLevel<Uint8Array, Uint8Array>(directory, { keyEncoding: 'view', valueEncoding: 'view' });
    await level.del(rowOf(n));
    await level.close();
  };
  await lose(5);
  await (await openStore(directory)).close();
  await lose(2);
  await expect(openStore(directory)).rejects.toMatchObject({
    code: 'store/corrupt',
    severity: 'fatal',
    message: expect.stringMatching(/of its last 4 writes only 3 are there/),
  });
});

test('the rows of the chain are in no table', async () => {
  const store = await openStore(directory);
  await put(store, 1n);
  let rows = 0;
  for (const table of Object.values(layout)) rows += (await store.measure(table as typeof layout.canonical)).rows;
  expect(rows).toBe(1);
  await store.close();
});
