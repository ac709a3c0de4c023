import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isHemidError } from '@hemid/protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { layout, openMemoryStore, openStore, type Store } from '../src/index.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hemid-store-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const hash = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

async function collect<K, V>(rows: AsyncIterable<[K, V]>): Promise<[K, V][]> {
  const all: [K, V][] = [];
  for await (const row of rows) all.push(row);
  return all;
}

for (const [name, open] of [
  ['in memory', () => openMemoryStore()],
  ['on disk', () => openStore(join(directory, 'db'))],
] as [string, () => Promise<Store>][]) {
  test(`${name}: a batch is seen by its own reads at once, by others after its commit`, async () => {
    const store = await open();
    const batch = store.batch();
    batch.put(layout.canonical, 7n, hash(1));
    expect(batch.get(layout.canonical, 7n)).toEqual(hash(1));
    expect(store.get(layout.canonical, 7n)).toBeUndefined();
    await batch.commit();
    expect(store.get(layout.canonical, 7n)).toEqual(hash(1));
    const second = store.batch();
    second.del(layout.canonical, 7n);
    expect(second.get(layout.canonical, 7n)).toBeUndefined();
    await second.commit();
    expect(store.get(layout.canonical, 7n)).toBeUndefined();
    await store.close();
  });

  test(`${name}: what was read holds while the generation is the same: there is none while a batch is on its way`, async () => {
    const store = await open();
    const first = store.generation();
    expect(first).toBeDefined();
    const batches = [store.batch(), store.batch()];
    for (const [i, batch] of batches.entries()) batch.put(layout.canonical, 7n, hash(i));
    expect(store.generation()).toBe(first);
    const commits = batches.map((batch) => batch.commit());
    expect(store.generation()).toBeUndefined();
    await commits[0];
    expect(store.generation()).toBeUndefined();
    await commits[1];
    expect(store.generation()).toBeGreaterThan(first as number);
    await store.close();
  });

  test(`${name}: ranges come in key order, within their prefix, and never from a neighbouring table`, async () => {
    const store = await open();
    const batch = store.batch();
    for (const number of [300n, 2n, 256n, 1n]) batch.put(layout.canonical, number, hash(Number(number % 251n)));
    batch.put(layout.sealedSlot, 5n, hash(9));
    for (const vout of [3, 1, 2])
      batch.put(layout.output, { txid: hash(0xff), vout }, { valueSats: 1n, madeAt: 1, spentAt: 2, script: new Uint8Array() });
    await batch.commit();
    expect((await collect(store.range(layout.canonical))).map(([key]) => key)).toEqual([1n, 2n, 256n, 300n]);
    expect((await collect(store.range(layout.canonical, { reverse: true, limit: 2 }))).map(([key]) => key)).toEqual([300n, 256n]);
    expect((await collect(store.range(layout.output, { prefix: hash(0xff) }))).map(([key]) => key.vout)).toEqual([1, 2, 3]);
    expect(await collect(store.range(layout.output, { prefix: hash(0xfe) }))).toEqual([]);
    await store.close();
  });

  test(`${name}: what is read is a plain array of its own`, async () => {
    const store = await open();
    const batch = store.batch();
    batch.put(layout.canonical, 1n, hash(4));
    await batch.commit();
    const value = store.get(layout.canonical, 1n) as Uint8Array;
    value.slice().fill(0);
    expect(value).toEqual(hash(4));
    expect(Buffer.isBuffer(value)).toBe(false);
    await store.close();
  });
}

test('a committed batch is there after reopening', async () => {
  const first = await openStore(join(directory, 'db'));
  const batch = first.batch();
  batch.put(layout.canonical, 1n, hash(1));
  await batch.commit();
  await first.close();
  const second = await openStore(join(directory, 'db'));
  expect(second.get(layout.canonical, 1n)).toEqual(hash(1));
  await second.close();
});

async function codeOf(open: Promise<unknown>): Promise<string> {
  try {
    await open;
  } catch (error) {
    if (isHemidError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'opened';
}

test('a directory in use, a damaged one and one that is a file are each named as such, and nothing is deleted', async () => {
  const path = join(directory, 'db');
  const store = await openStore(path);
  expect(await codeOf(openStore(path))).toMatch(/^store\/locked: .*in use by another process/);
  const batch = store.batch();
  batch.put(layout.canonical, 1n, hash(1));
  await batch.commit();
  await store.close();
  const manifest = readdirSync(path).find((name) => name.startsWith('MANIFEST')) ?? '';
  writeFileSync(join(path, manifest), 'damage');
  const before = readdirSync(path).sort();
  expect(await codeOf(openStore(path))).toMatch(/^store\/(corrupt|unusable): /);
  expect(
    readdirSync(path)
      .filter((name) => !name.startsWith('LOG'))
      .sort(),
  ).toEqual(before.filter((name) => !name.startsWith('LOG')));
  writeFileSync(join(directory, 'file'), 'x');
  expect(await codeOf(openStore(join(directory, 'file')))).toMatch(/^store\/unusable: /);
});
