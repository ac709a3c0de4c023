import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { layout, openStore, openStoreReader, type Store } from '../src/index.ts';

let directory: string;
let writer: Store;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hemid-snapshot-'));
  writer = await openStore(directory, { threads: 'several' });
});
afterEach(async () => {
  await writer.close();
  rmSync(directory, { recursive: true, force: true });
});

const hash = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

/** Commits rows of one table, `undefined` for one that goes. */
async function write(rows: Record<number, number | undefined>): Promise<void> {
  const batch = writer.batch();
  for (const [number, byte] of Object.entries(rows)) {
    if (byte === undefined) batch.del(layout.canonical, BigInt(number));
    else batch.put(layout.canonical, BigInt(number), hash(byte));
  }
  await batch.commit();
}

async function read(store: Store): Promise<Record<number, number | undefined>> {
  const rows: Record<number, number | undefined> = {};
  for await (const [number, value] of store.range(layout.canonical)) rows[Number(number)] = value[0];
  for (const [number, byte] of Object.entries(rows)) expect(store.get(layout.canonical, BigInt(number))).toEqual(hash(byte ?? 0));
  return rows;
}

test('a snapshot stays as it is whatever is written, deleted and compacted; a reader sees everything at once', async () => {
  await write({ 1: 11, 2: 12 });
  const reader = await openStoreReader(directory);
  const first = reader.snapshot();
  await write({ 1: undefined, 2: 22, 3: 23 });
  const second = reader.snapshot();
  await write({ 2: undefined });
  await writer.compact();
  expect(await read(first)).toEqual({ 1: 11, 2: 12 });
  expect(first.get(layout.canonical, 3n)).toBeUndefined();
  expect(await first.measure(layout.canonical)).toMatchObject({ rows: 2 });
  expect(await read(second)).toEqual({ 2: 22, 3: 23 });
  expect(await read(reader)).toEqual({ 3: 23 });
  await first.close();
  expect(() => first.get(layout.canonical, 1n)).toThrow(/not open/i);
  expect(await read(second)).toEqual({ 2: 22, 3: 23 });
  await second.close();
  await reader.close();
});

test('who reads cannot write', async () => {
  const reader = await openStoreReader(directory);
  const snapshot = reader.snapshot();
  for (const store of [reader, snapshot]) {
    expect(() => store.batch()).toThrow(expect.objectContaining({ code: 'store/read-only' }));
    expect(() => store.compact()).toThrow(expect.objectContaining({ code: 'store/read-only' }));
  }
  await snapshot.close();
  await reader.close();
});

test('a reader needs somebody who has the database open for several threads', async () => {
  await writer.close();
  writer = await openStore(directory);
  await expect(openStoreReader(directory)).rejects.toMatchObject({ code: 'store/locked' });
  await expect(openStoreReader(join(directory, 'none'))).rejects.toMatchObject({ code: 'store/unusable' });
});
