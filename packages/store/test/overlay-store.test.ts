import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createOverlayStore, layout, openMemoryStore, type Range, type Store } from '../src/index.ts';

const hash = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

async function write(store: Store, writes: readonly [bigint, number | undefined][]): Promise<void> {
  const batch = store.batch();
  for (const [key, value] of writes) {
    if (value === undefined) batch.del(layout.canonical, key);
    else batch.put(layout.canonical, key, hash(value));
  }
  await batch.commit();
}

async function rowsOf(store: Store, range?: Range): Promise<[bigint, number | undefined][]> {
  const rows: [bigint, number | undefined][] = [];
  for await (const [key, value] of store.range(layout.canonical, range)) rows.push([key, value[0]]);
  return rows;
}

const writes = fc.array(fc.tuple(fc.bigInt({ min: 0n, max: 12n }), fc.option(fc.nat(255), { nil: undefined })), { maxLength: 12 });

test('an overlay reads as a store that was written itself, and what is below stays as it was', async () => {
  await fc.assert(
    fc.asyncProperty(
      writes,
      fc.array(writes, { maxLength: 4 }),
      fc.boolean(),
      fc.integer({ min: 0, max: 8 }),
      async (first, batches, reverse, limit) => {
        const [below, same] = [await openMemoryStore(), await openMemoryStore()];
        for (const store of [below, same]) await write(store, first);
        const before = await rowsOf(below);
        const overlay = createOverlayStore(below, await openMemoryStore());
        for (const batch of batches) {
          const generation = overlay.generation();
          for (const store of [overlay, same]) await write(store, batch);
          expect(overlay.generation()).not.toBe(generation);
        }
        expect(await rowsOf(overlay)).toEqual(await rowsOf(same));
        for (const range of [{ reverse, limit }, { reverse }, { from: layout.canonical.key.encode(5n), limit: 2 }]) {
          expect(await rowsOf(overlay, range)).toEqual(await rowsOf(same, range));
        }
        for (let key = 0n; key <= 12n; key += 1n) expect(overlay.get(layout.canonical, key)).toEqual(same.get(layout.canonical, key));
        expect(await overlay.measure(layout.canonical)).toEqual(await same.measure(layout.canonical));
        expect(await rowsOf(below)).toEqual(before);
      },
    ),
    { numRuns: 60 },
  );
});

test('a table that is not shown is as if nothing were below', async () => {
  const below = await openMemoryStore();
  await write(below, [[1n, 1]]);
  const overlay = createOverlayStore(below, await openMemoryStore(), { shown: [layout.block] });
  expect(overlay.get(layout.canonical, 1n)).toBeUndefined();
  expect(await rowsOf(overlay)).toEqual([]);
});
