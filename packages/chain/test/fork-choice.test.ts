import { compare, type L2Header, toDigits } from '@hemid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AnchorPosition, chooseHead, type ForkTree, type PlacedL2Header } from '../src/index.ts';

/** A block: its name (its hash begins with it), and the Bitcoin place of its first counting publication. */
interface Planted {
  placed: PlacedL2Header;
  parent: Planted | undefined;
  position: AnchorPosition | undefined;
}

const PERIOD = 2n;
const at = (height: number, txIndex = 1, vout = 0): AnchorPosition => ({ height, txIndex, vout });

/** A tree whose even numbers are keystones. */
function createTree() {
  const blocks = new Map<string, Planted>();
  const asked: string[] = [];

  function plant(name: string, parent?: string, position?: AnchorPosition): string {
    const over = parent === undefined ? undefined : blocks.get(parent);
    const hash = new Uint8Array(32);
    hash.set(new TextEncoder().encode(name));
    const number = over === undefined ? 0n : over.placed.header.number + 1n;
    blocks.set(name, { placed: { header: { number } as L2Header, hash }, parent: over, position });
    return name;
  }

  /** Plants `names` one on the other. */
  function branch(parent: string, names: string): void {
    for (const name of names.split(' ')) parent = plant(name, parent);
  }

  const byHash = (hash: Uint8Array): Planted => [...blocks.values()].find((one) => toDigits(one.placed.hash) === toDigits(hash)) as Planted;
  const nameOf = (hash: Uint8Array): string => [...blocks.entries()].find(([, one]) => toDigits(one.placed.hash) === toDigits(hash))?.[0] ?? '';
  const tree: ForkTree = {
    parent: (block) => (byHash(block.hash).parent as Planted).placed,
    async position(block) {
      asked.push(nameOf(block.hash));
      return byHash(block.hash).position;
    },
    isKeystone: (number) => number > 0n && number % PERIOD === 0n,
  };
  plant('g');
  return {
    plant,
    branch,
    asked,
    publish(name: string, position: AnchorPosition | undefined) {
      (blocks.get(name) as Planted).position = position;
    },
    choose: async (...leaves: string[]) =>
      nameOf(
        (
          await chooseHead(
            tree,
            leaves.map((leaf) => (blocks.get(leaf) as Planted).placed),
          )
        ).hash,
      ),
  };
}

test('a single leaf is the head', async () => {
  const { branch, choose } = createTree();
  branch('g', 'a1 a2 a3');
  expect(await choose('a3')).toBe('a3');
});

test('without publications the taller branch wins', async () => {
  const { branch, choose } = createTree();
  branch('g', 'a1 a2');
  branch('g', 'b1 b2 b3');
  expect(await choose('a2', 'b3')).toBe('b3');
});

test('of two branches of one height without publications the one of the lower hash wins', async () => {
  const { branch, choose } = createTree();
  branch('g', 'b1 b2');
  branch('g', 'a1 a2');
  expect(await choose('b2', 'a2')).toBe('a2');
});

test('a branch with a publication wins over a taller one without', async () => {
  const { branch, choose, publish } = createTree();
  branch('g', 'a1 a2 a3 a4 a5');
  branch('g', 'b1 b2');
  publish('b2', at(900));
  expect(await choose('a5', 'b2')).toBe('b2');
});

test('the lower position wins over the taller branch: by height, then transaction, then output', async () => {
  const { branch, choose, publish } = createTree();
  branch('g', 'a1 a2 a3 a4 a5 a6');
  branch('g', 'b1 b2');
  for (const [a, b, winner] of [
    [at(100, 0, 0), at(99, 9, 9), 'b2'],
    [at(99, 9, 9), at(100, 0, 0), 'a6'],
    [at(100, 2, 0), at(100, 1, 9), 'b2'],
    [at(100, 1, 3), at(100, 1, 2), 'b2'],
    [at(100, 1, 2), at(100, 1, 3), 'a6'],
  ] as const) {
    publish('a4', a);
    publish('b2', b);
    expect(await choose('a6', 'b2')).toBe(winner);
    expect(await choose('b2', 'a6')).toBe(winner);
  }
});

test('the lowest publication of any keystone counts, not that of the first or the last', async () => {
  const { branch, choose, publish } = createTree();
  branch('g', 'a1 a2 a3 a4 a5 a6');
  branch('g', 'b1 b2 b3 b4');
  publish('a2', at(120));
  publish('a4', at(101));
  publish('a6', at(130));
  publish('b2', at(102));
  expect(await choose('a6', 'b4')).toBe('a6');
});

test('what stands before the fork does not count, and is not asked for', async () => {
  const { branch, choose, publish, asked } = createTree();
  branch('g', 't1 t2');
  branch('t2', 'a3 a4');
  branch('t2', 'b3 b4 b5');
  publish('t2', at(50));
  expect(await choose('a4', 'b5')).toBe('b5');
  publish('a4', at(100));
  expect(await choose('a4', 'b5')).toBe('a4');
  expect(asked).not.toContain('t2');
});

test('a publication outside keystones counts for nothing', async () => {
  const { branch, choose, publish } = createTree();
  branch('g', 'a1 a2');
  branch('g', 'b1 b2 b3');
  publish('a1', at(1));
  expect(await choose('a2', 'b3')).toBe('b3');
});

test('at nested forks each is decided by what stands behind it', async () => {
  const { branch, choose, publish } = createTree();
  branch('g', 'a1');
  branch('a1', 'b2 b3');
  branch('a1', 'c2 c3 c4 c5');
  branch('g', 'd1 d2 d3 d4 d5 d6 d7');
  // Without Bitcoin the tallest leaf of all wins.
  expect(await choose('b3', 'c5', 'd7')).toBe('d7');
  // A publication deep in one side wins that side; it also decides the fork within it.
  publish('b2', at(100));
  expect(await choose('b3', 'c5', 'd7')).toBe('b3');
  // A lower one on the other branch of that side.
  publish('c4', at(90));
  expect(await choose('b3', 'c5', 'd7')).toBe('c5');
  // And the lowest elsewhere takes it all.
  publish('d6', at(80));
  expect(await choose('b3', 'c5', 'd7')).toBe('d7');
});

test('a fork behind the winning publication is decided by height alone', async () => {
  const { branch, choose, publish } = createTree();
  branch('g', 'a1 a2');
  branch('a2', 'b3');
  branch('a2', 'c3 c4');
  branch('g', 'd1 d2 d3 d4 d5 d6');
  publish('a2', at(100));
  expect(await choose('b3', 'c4', 'd6')).toBe('c4');
});

test('when a Bitcoin reorg drops the publication the taller branch wins again', async () => {
  const { branch, choose, publish } = createTree();
  branch('g', 'a1 a2');
  branch('g', 'b1 b2 b3');
  publish('a2', at(100));
  expect(await choose('a2', 'b3')).toBe('a2');
  publish('a2', undefined);
  expect(await choose('a2', 'b3')).toBe('b3');
});

/** A random tree: for each block its parent among those before it, and maybe a position that no other block has. */
const trees = fc
  .array(fc.record({ parent: fc.nat(), published: fc.boolean(), height: fc.integer({ min: 1, max: 6 }), salt: fc.nat(255) }), {
    minLength: 2,
    maxLength: 40,
  })
  .map((rows) => {
    const planted: Planted[] = [{ placed: { header: { number: 0n } as L2Header, hash: new Uint8Array(32) }, parent: undefined, position: undefined }];
    for (const [i, { parent, published, height, salt }] of rows.entries()) {
      // Mostly near the end, so that branches grow long.
      const over = planted[Math.max(0, planted.length - 1 - (parent % 5))] as Planted;
      const hash = new Uint8Array(32).fill(salt);
      hash[31] = i;
      const number = over.placed.header.number + 1n;
      planted.push({ placed: { header: { number } as L2Header, hash }, parent: over, position: published ? at(height, i) : undefined });
    }
    const byHash = new Map(planted.map((one) => [toDigits(one.placed.hash), one]));
    const parents = new Set(planted.map((one) => one.parent));
    const tree: ForkTree = {
      parent: (block) => ((byHash.get(toDigits(block.hash)) as Planted).parent as Planted).placed,
      position: async (block) => byHash.get(toDigits(block.hash))?.position,
      isKeystone: (number) => number > 0n && number % PERIOD === 0n,
    };
    return { tree, leaves: planted.filter((one) => !parents.has(one)) };
  });

function ancestry(leaf: Planted): Planted[] {
  const path: Planted[] = [];
  for (let one: Planted | undefined = leaf; one !== undefined; one = one.parent) path.push(one);
  return path.reverse();
}

/** Protocol section 8, read for two branches: the lowest position after their fork, then more blocks, then the lower hash. */
function beats(a: Planted, b: Planted): boolean {
  const [x, y] = [ancestry(a), ancestry(b)];
  const fork = x.findIndex((one, i) => one !== y[i]);
  const lowest = (path: Planted[]): string =>
    path
      .slice(fork)
      .filter(({ placed }) => placed.header.number % PERIOD === 0n)
      .flatMap(({ position }) =>
        position === undefined ? [] : [`${String(position.height).padStart(9, '0')} ${String(position.txIndex).padStart(9, '0')}`],
      )
      .sort()[0] ?? '~';
  if (lowest(x) !== lowest(y)) return lowest(x) < lowest(y);
  if (x.length !== y.length) return x.length > y.length;
  return compare(a.placed.hash, b.placed.hash) < 0;
}

test('in any tree the choice beats every other leaf, whatever the order of the leaves', async () => {
  const cases = fc.record({ planted: trees, shuffle: fc.infiniteStream(fc.nat()) });
  await fc.assert(
    fc.asyncProperty(cases, async ({ planted: { tree, leaves }, shuffle }) => {
      const shuffled = leaves.map((leaf) => ({ leaf, key: shuffle.next().value as number })).sort((a, b) => a.key - b.key);
      const head = await chooseHead(
        tree,
        leaves.map(({ placed }) => placed),
      );
      const again = await chooseHead(
        tree,
        shuffled.map(({ leaf }) => leaf.placed),
      );
      expect(again.hash).toEqual(head.hash);
      const winner = leaves.find(({ placed }) => placed === head) as Planted;
      for (const leaf of leaves) if (leaf !== winner) expect(beats(winner, leaf)).toBe(true);
    }),
    { numRuns: 500 },
  );
});
