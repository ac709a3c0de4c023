import { RLP } from '@ethereumjs/rlp';
import { concat, toHex } from '@hemid/protocol';
import { follow, openMemoryStore, routeBetween, type Store } from '@hemid/store';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createStateStore, type StateBlock, type StateChanges, type StateDiff, type StateStore } from '../src/index.ts';

const KEYS = ['aA', 'aB', 'sA1', 'n\u0000', 'n\u0001\u0010'];

/** A tree of blocks whose states are known, beside the state store under test. */
async function createWorld(window: number | undefined, hotBytes = 1 << 20) {
  const store: Store = await openMemoryStore();
  const blocks = new Map<string, StateBlock & { parent: Uint8Array; state: Map<string, Uint8Array>; diff: StateDiff }>();
  const get = (hash: Uint8Array) => {
    const block = blocks.get(toHex(hash));
    if (block === undefined) throw new Error('unknown block');
    return block;
  };
  const tree = { height: (hash: Uint8Array) => get(hash).number, parent: (hash: Uint8Array) => get(hash).parent };
  const states: StateStore = createStateStore(
    { store, route: (from, to) => routeBetween(tree, from, to), block: get, parent: tree.parent },
    { window, hotBytes },
  );
  let serial = 0;
  function create(parent: Uint8Array | undefined, diff: StateDiff): Uint8Array {
    serial += 1;
    const hash = new Uint8Array(32);
    new DataView(hash.buffer).setUint32(0, serial);
    const before = parent === undefined ? new Map<string, Uint8Array>() : get(parent).state;
    const state = new Map(before);
    for (const [key, value] of diff) {
      if (value === undefined) state.delete(key);
      else state.set(key, value);
    }
    blocks.set(toHex(hash), { hash, number: parent === undefined ? 0n : get(parent).number + 1n, parent: parent ?? new Uint8Array(32), state, diff });
    return hash;
  }
  let head = create(undefined, new Map([['aA', Uint8Array.of(1)]]));
  const batch = store.batch();
  await states.init(get(head), get(head).diff, batch);
  await batch.commit();
  const follower = { name: 'state', apply: states.apply, revert: states.revert };
  /** What is staged of a block: with the rows that it found, or some of them, or none. */
  function changesOf({ diff, parent, number }: { diff: StateDiff; parent: Uint8Array; number: bigint }): StateChanges {
    const found = [...diff.keys()].slice(Number(number % 2n)).map((key) => [key, get(parent).state.get(key)] as const);
    return { diff, before: number % 3n === 0n ? undefined : new Map(found) };
  }
  return {
    store,
    states,
    blocks,
    get,
    create,
    head: () => head,
    /** Commits a new block, and moves the head to it if asked. */
    async commit(hash: Uint8Array, target: Uint8Array, isLost = false) {
      const block = get(hash);
      if (isLost) {
        // A batch that fails to be written: nothing of it may be seen, neither now nor later.
        const lost = store.batch();
        states.stage(hash, changesOf(block));
        follow({ followers: [follower], route: routeBetween(tree, head, target), load: get, batch: lost });
        states.keep(hash, lost);
        for (const key of KEYS) expect(digits(states.base(head).read(key))).toBe(digits(get(head).state.get(key)));
      }
      const writes = store.batch();
      states.stage(hash, changesOf(block));
      follow({ followers: [follower], route: routeBetween(tree, head, target), load: get, batch: writes });
      states.keep(hash, writes);
      for (const key of KEYS) expect(digits(states.base(head).read(key))).toBe(digits(get(head).state.get(key)));
      await writes.commit();
      head = target;
      // As at a start: what is read beforehand is the state at the head.
      if (blocks.size % 3 === 0) await states.warm();
    },
    isCanonical(hash: Uint8Array): boolean {
      return routeBetween(tree, head, hash).added.length === 0;
    },
  };
}

/** Rows of branches whose children are often the same, often hashes, sometimes embedded; and of leaves, by their names. */
const nodeRow = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(Uint8Array.of(0, 7), Uint8Array.of(0, 1, 7)) },
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        fc.constantFrom('full', 'full', 'two', 'embedded'),
        fc.array(fc.tuple(fc.nat({ max: 15 }), fc.nat({ max: 3 })), { maxLength: 10 }),
        fc.constantFrom<number[]>([0, 1], [0x80, 1]),
      )
      .map(([form, changed, leaves]) => branchRow(form, new Map(changed), leaves)),
  },
);
function branchRow(form: string, tags: ReadonlyMap<number, number>, leaves: number[]): Uint8Array {
  const children: (Uint8Array | Uint8Array[])[] = [];
  for (let i = 0; i < 16; i += 1) {
    const hash = new Uint8Array(32).fill(0x10 + i);
    hash[0] = tags.get(i) ?? 0;
    if (form === 'full' || i === 3 || i === 12) children.push(hash);
    else children.push(form === 'embedded' && i === 5 ? [Uint8Array.of(0x20), Uint8Array.of(tags.get(5) ?? 1, 2)] : new Uint8Array());
  }
  return concat(RLP.encode([...children, new Uint8Array()]), Uint8Array.from(leaves));
}
/** Compared in place of the bytes: long arrays are compared slowly. */
const digits = (row: Uint8Array | undefined): string | undefined => row && toHex(row);
const isNode = (key: string): boolean => key.startsWith('n');
const change = fc
  .constantFrom(...KEYS)
  .chain((key) => fc.tuple(fc.constant(key), fc.option(isNode(key) ? nodeRow : fc.uint8Array({ minLength: 1, maxLength: 3 }), { nil: undefined })));
const diffs = fc.uniqueArray(change, { selector: ([key]) => key, minLength: 1, maxLength: KEYS.length });
const moves = fc.array(fc.record({ diff: diffs, back: fc.nat({ max: 3 }), takesHead: fc.boolean(), isLost: fc.boolean() }), {
  minLength: 1,
  maxLength: 15,
});

test('every state is what it was: at the head, below it, on other branches, through any reorgs and lost batches, with any cache', async () => {
  await fc.assert(
    fc.asyncProperty(moves, fc.constantFrom(0, 300, 1 << 20), async (steps, hotBytes) => {
      const world = await createWorld(undefined, hotBytes);
      for (const { diff, back, takesHead, isLost } of steps) {
        let parent = world.head();
        for (let i = 0; i < back && world.get(parent).number > 0n; i += 1) parent = world.get(parent).parent;
        // What a block changes differs from its parent's state, as commitState has it.
        const changed = diff.filter(
          ([key, value]) => toHex(world.get(parent).state.get(key) ?? Uint8Array.of(9, 9, 9, 9)) !== toHex(value ?? Uint8Array.of(9, 9, 9, 9)),
        );
        const hash = world.create(parent, new Map(changed));
        expect(world.states.base(parent).read('aA')).toEqual(world.get(parent).state.get('aA'));
        await world.commit(hash, takesHead || back === 0 ? hash : world.head(), isLost);
        for (const block of world.blocks.values()) {
          const source = world.states.source(block.hash);
          const base = world.states.base(block.hash);
          for (const key of KEYS) {
            expect(digits(await source.read(key))).toBe(digits(block.state.get(key)));
            expect(digits(base.read(key))).toBe(digits(block.state.get(key)));
          }
          const listed: string[] = [];
          for await (const key of base.keys('a')) listed.push(key);
          expect(listed.sort()).toEqual([...block.state.keys()].filter((key) => key.startsWith('a')).sort());
        }
      }
      await world.store.close();
    }),
    { numRuns: 80 },
  );
}, 60_000);

test('states further back than the window are refused by name, those within it stay right, and old rows go', async () => {
  const world = await createWorld(3);
  for (let i = 0; i < 10; i += 1) {
    const hash = world.create(
      world.head(),
      new Map([
        ['aA', Uint8Array.of(i)],
        ['n\u0000', branchRow('full', new Map([[i, 1]]), [0, 0])],
        [KEYS[i % 3] as string, Uint8Array.of(i, i)],
      ]),
    );
    await world.commit(hash, hash);
  }
  for (const block of world.blocks.values()) {
    if (block.number < 7n) {
      expect(() => world.states.source(block.hash)).toThrow(/is not kept any more: this node keeps the last 3 blocks/);
      continue;
    }
    for (const key of ['aA', 'n\u0000']) expect(await world.states.source(block.hash).read(key)).toEqual(block.state.get(key));
  }
  let rows = 0;
  const { layout } = await import('@hemid/store');
  for await (const _ of world.store.range(layout.stateHistory)) rows += 1;
  expect(rows).toBeLessThanOrEqual(3 * 3);
  await world.store.close();
});

test('a row without bytes is refused: the history could not tell it from none', async () => {
  const world = await createWorld(3);
  const hash = world.create(world.head(), new Map([['aA', new Uint8Array()]]));
  await expect(world.commit(hash, hash)).rejects.toThrow(/is empty/);
  await world.store.close();
});
