import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chooseHead } from '../src/index.ts';
import { at, beats, createTree, type Planted, trees } from './planted-tree.ts';

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
