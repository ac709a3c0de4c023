import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createHotRows } from '../src/state/hot-rows.ts';
import { createRowSlab, MAX_ROW } from '../src/state/row-slab.ts';

const row = fc.tuple(fc.nat({ max: MAX_ROW }), fc.nat({ max: 255 })).map(([length, byte]) => new Uint8Array(length).fill(byte));

test('a slab gives back every row that it holds, whatever was replaced and dropped around it, and takes the room again', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.constantFrom('add', 'replace', 'drop'), fc.nat(), row), { maxLength: 400 }), (steps) => {
      const slab = createRowSlab();
      const held = new Map<number, Uint8Array>();
      for (const [what, choice, bytes] of steps) {
        const place = [...held.keys()][choice % Math.max(1, held.size)];
        if (what === 'add' || place === undefined) {
          held.set(slab.add(bytes), bytes);
          continue;
        }
        held.delete(place);
        if (what === 'drop') slab.drop(place);
        else held.set(slab.replace(place, bytes), bytes);
      }
      for (const [place, bytes] of held) expect(slab.get(place)).toEqual(bytes);
      const taken = slab.bytes();
      for (const [place, bytes] of [...held]) slab.drop(slab.replace(place, bytes));
      for (const bytes of held.values()) slab.add(bytes);
      expect(slab.bytes()).toBe(taken);
    }),
    { numRuns: 100 },
  );
});

test('rows at the head stay within their memory when their sizes change, and each is what was last put', () => {
  const hot = createHotRows(1 << 20);
  const head = new Uint8Array(32);
  hot.settle(head);
  let loaded = 0;
  const read = (key: string, size: number): Uint8Array | undefined =>
    hot.read(head, key, () => {
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
