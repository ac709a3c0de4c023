import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createHotRows } from '../src/state/hot-rows.ts';
import { createRowSlab, MAX_ROW, offsetOf } from '../src/state/row-slab.ts';
import { createRowTable } from '../src/state/row-table.ts';

const row = fc.tuple(fc.integer({ min: 1, max: MAX_ROW }), fc.nat({ max: 255 })).map(([length, byte]) => new Uint8Array(length).fill(byte));

test('a slab keeps every row that has room in it apart from the others, and takes room again that was given back', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(), row), { maxLength: 400 }), (steps) => {
      const slab = createRowSlab();
      // Most of the first array is given out: the rows go on into the second.
      for (let i = 0; i < 6_450; i += 1) slab.take(MAX_ROW);
      const held = new Map<number, Uint8Array>();
      const write = (place: number, bytes: Uint8Array): void => slab.chunk(place).set(bytes, offsetOf(place));
      for (const [isDrop, choice, bytes] of steps) {
        const place = [...held.keys()][choice % Math.max(1, held.size)];
        if (isDrop && place !== undefined) {
          slab.drop(place, (held.get(place) as Uint8Array).length);
          held.delete(place);
          continue;
        }
        const taken = slab.take(bytes.length);
        write(taken, bytes);
        held.set(taken, bytes);
      }
      for (const [place, bytes] of held) expect(slab.chunk(place).slice(offsetOf(place), offsetOf(place) + bytes.length)).toEqual(bytes);
      const bytes = slab.bytes();
      for (const [place, { length }] of held) slab.drop(place, length);
      for (const { length } of held.values()) slab.take(length);
      expect(slab.bytes()).toBe(bytes);
    }),
    { numRuns: 100 },
  );
});

// Few keys that differ in little, of all the lengths that keys have and more, so that they meet in the index.
const key = fc
  .tuple(fc.constantFrom('a', 's', 'n\u00ff', 'm'), fc.nat({ max: 60 }), fc.constantFrom(0, 1, 20, 52, 200))
  .map(([kind, n, length]) => `${kind}${String.fromCharCode(n)}`.padEnd(length, '\u0080'));
const value = fc.option(fc.tuple(fc.constantFrom(0, 1, 30, 100, 532, MAX_ROW, 3_000), fc.nat({ max: 255 })), { nil: undefined });

const isSame = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean => (a && b ? Buffer.from(a).equals(b) : a === b);

test('a table with room knows of each key what was last put, be it that there is nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, value), { maxLength: 600 }), (puts) => {
      const table = createRowTable(64 << 20);
      const model = new Map<string, Uint8Array | undefined>();
      for (const [name, shape] of puts) {
        const bytes = shape && new Uint8Array(shape[0]).fill(shape[1]);
        table.put(name, bytes);
        model.set(name, bytes);
      }
      for (const [name, bytes] of model) {
        const known = table.get(name);
        // Of a key too long for the slab nothing is kept when there is no row.
        if (bytes === undefined && name.length > 127) expect([null, undefined]).toContain(known);
        else expect(known).toEqual(bytes);
      }
      expect(table.get('never put')).toBeNull();
    }),
    { numRuns: 200 },
  );
});

test('a table without room knows what was last put or nothing, stays within its bytes, and finds the others when one leaves', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, value), { minLength: 200, maxLength: 800 }), (puts) => {
      const table = createRowTable(16_000);
      const model = new Map<string, Uint8Array | undefined>();
      for (const [name, shape] of puts) {
        const bytes = shape && new Uint8Array(shape[0]).fill(shape[1]);
        table.put(name, bytes);
        model.set(name, bytes);
        if (table.bytes() > 16_000) throw new Error(`${table.bytes()} bytes after ${name}`);
        const known = table.get(name);
        if (known !== null && !isSame(known, bytes)) throw new Error(`${name} is another`);
      }
      for (const [name, bytes] of model) {
        const known = table.get(name);
        if (known !== null) expect(isSame(known, bytes), name).toBe(true);
      }
    }),
    { numRuns: 100 },
  );
});

test('rows that are asked for stay while many others pass through, and all are found again after the index has grown', () => {
  const table = createRowTable(1 << 20);
  const bytesOf = (n: number): Uint8Array => new Uint8Array(40).fill(n);
  const hot = Array.from({ length: 100 }, (_, n) => `hot ${n}`);
  for (const [n, name] of hot.entries()) table.put(name, bytesOf(n));
  for (let n = 0; n < 50_000; n += 1) {
    table.put(`passes ${n}`, bytesOf(n));
    if (n % 1_000 === 0) for (const [i, name] of hot.entries()) expect(table.get(name)).toEqual(bytesOf(i));
  }
  expect(table.get('passes 0')).toBeNull();

  const large = createRowTable(64 << 20);
  for (let n = 0; n < 50_000; n += 1) large.put(`row ${n}`, bytesOf(n));
  for (let n = 0; n < 50_000; n += 1) if (!isSame(bytesOf(n), large.get(`row ${n}`) ?? undefined)) throw new Error(`row ${n} is another`);
});

test('rows at the head stay within their memory when their sizes change, and each is what was last put', () => {
  const hot = createHotRows(1 << 20);
  const head = new Uint8Array(32);
  hot.settle(head);
  let loaded = 0;
  const read = (name: string, size: number): Uint8Array | undefined =>
    hot.read(head, name, () => {
      loaded += 1;
      return new Uint8Array(size).fill(size);
    });
  // Rows of each size fill the memory in turn, those that are too long for the slab among them.
  for (const size of [20, 100, 200, 300, 400, 540, 2000]) {
    for (let i = 0; i < 5_000; i += 1) expect(read(`${size} ${i}`, size)?.length).toBe(size);
    const before = loaded;
    expect(read(`${size} 4999`, size)).toEqual(new Uint8Array(size).fill(size));
    expect(loaded).toBe(before);
  }
});
