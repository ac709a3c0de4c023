import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Circumstances, decideHead, type PlacedL2Header } from '../src/index.ts';
import { afterFork, ancestry, at, beats, createTree, type Planted, type RandomTree, trees } from './planted-tree.ts';

const SUPER = 10;

/** Two branches after the genesis: `a` published at 100, `b` at 99. */
function twoBranches() {
  const t = createTree();
  t.branch('g', 'a1 a2 a3 a4');
  t.branch('g', 'b1 b2');
  t.publish('a2', at(100));
  t.publish('b2', at(99));
  return {
    ...t,
    async decide(tipHeight: number, head: string | undefined, more: { held?: string; waiting?: string[]; leaves?: string[]; before?: number } = {}) {
      const circumstances: Circumstances = {
        before:
          head === undefined
            ? undefined
            : { head: t.placed(head), tipHeight: more.before ?? tipHeight, held: more.held === undefined ? undefined : t.placed(more.held) },
        tipHeight,
        superFinal: SUPER,
        namedHeight: ({ hash }) => t.named(hash),
        waiting: (more.waiting ?? []).map(t.placed),
      };
      const decided = await decideHead(t.tree, (more.leaves ?? ['a4', 'b2']).map(t.placed), circumstances);
      const name = (block: PlacedL2Header | undefined): string | undefined => block && t.nameOf(block.hash);
      const { conflict } = decided;
      return {
        head: name(decided.head),
        conflict: conflict && [conflict.kind, name(conflict.fork), name(conflict.own?.keystone), name(conflict.other.keystone)].join(' '),
      };
    },
  };
}

test('a branch is left for a lower one until it is super-final, and no longer', async () => {
  const { decide } = twoBranches();
  expect(await decide(109, 'a4')).toEqual({ head: 'b2', conflict: undefined });
  expect(await decide(110, 'a4')).toEqual({ head: 'a4', conflict: 'stays g a2 b2' });
  expect(await decide(110, 'b2')).toEqual({ head: 'b2', conflict: undefined });
});

test('what became super-final since the last decision does not bind: many Bitcoin blocks at once are like one by one', async () => {
  const { decide } = twoBranches();
  expect(await decide(300, 'a4', { before: 109 })).toEqual({ head: 'b2', conflict: undefined });
  expect(await decide(300, 'a4', { before: 110 })).toEqual({ head: 'a4', conflict: 'stays g a2 b2' });
});

test('who has no head on either side, or chooses afresh, takes the lower one', async () => {
  const { decide } = twoBranches();
  expect(await decide(500, 'g')).toEqual({ head: 'b2', conflict: undefined });
  expect(await decide(500, undefined)).toEqual({ head: 'b2', conflict: undefined });
});

test('a head below its super-final keystone does not bind, for the keystone is not on its branch yet', async () => {
  const { decide, branch } = twoBranches();
  branch('a1', 'c2 c3');
  expect(await decide(500, 'a1')).toEqual({ head: 'b2', conflict: undefined });
  // On another branch of the same side.
  expect(await decide(500, 'c3', { leaves: ['a4', 'b2', 'c3'] })).toEqual({ head: 'b2', conflict: undefined });
});

test('a keystone that finality rests on binds although the tip has become lower', async () => {
  const { decide } = twoBranches();
  expect(await decide(109, 'a4', { held: 'a2' })).toEqual({ head: 'a4', conflict: 'stays g a2 b2' });
  expect(await decide(109, 'a4', { held: 'b2' })).toEqual({ head: 'b2', conflict: undefined });
});

test('within the branch that is not left the order decides', async () => {
  const { decide, branch } = twoBranches();
  branch('a2', 'c3 c4 c5');
  expect(await decide(110, 'a4', { leaves: ['a4', 'b2', 'c5'] })).toEqual({ head: 'c5', conflict: 'stays g a2 b2' });
});

test('a fork behind the last published keystone binds nobody', async () => {
  const { decide, branch, publish } = twoBranches();
  branch('a2', 'c3 c4');
  publish('c4', at(105));
  publish('b2', undefined);
  expect(await decide(500, 'a4', { leaves: ['a4', 'b2', 'c4'] })).toEqual({ head: 'c4', conflict: undefined });
});

test('a losing branch contradicts the winner when its super-final keystone names a tip ten above the winner, not nine', async () => {
  const { decide, name, publish } = twoBranches();
  publish('a4', at(120));
  name('a4', 108);
  expect(await decide(130, 'b2')).toEqual({ head: 'b2', conflict: undefined });
  name('a4', 109);
  expect(await decide(129, 'b2')).toEqual({ head: 'b2', conflict: undefined });
  expect(await decide(130, 'b2')).toEqual({ head: 'b2', conflict: 'contradicted g b2 a4' });
  expect(await decide(130, undefined)).toEqual({ head: 'b2', conflict: 'contradicted g b2 a4' });
});

test('a winner contradicts nobody', async () => {
  const { decide, name, publish, branch } = twoBranches();
  branch('b2', 'b3 b4');
  publish('b4', at(120));
  name('b4', 119);
  expect(await decide(500, 'b4', { leaves: ['a4', 'b4'] })).toEqual({ head: 'b4', conflict: undefined });
});

test('a waiting branch is reported when it has a super-final keystone of lower position, and is never followed', async () => {
  const { decide, publish } = twoBranches();
  const waits = { leaves: ['a4'], waiting: ['b2'] };
  expect(await decide(108, 'a4', waits)).toEqual({ head: 'a4', conflict: undefined });
  expect(await decide(109, 'a4', waits)).toEqual({ head: 'a4', conflict: 'waiting g a2 b2' });
  publish('b2', at(101));
  expect(await decide(500, 'a4', waits)).toEqual({ head: 'a4', conflict: undefined });
  // Of an unpublished branch everything is lower.
  publish('a2', undefined);
  expect(await decide(500, 'a4', waits)).toEqual({ head: 'a4', conflict: 'waiting g  b2' });
});

test('a waiting branch on top of the head is no other branch', async () => {
  const { decide, branch, publish } = twoBranches();
  branch('a4', 'a5 a6');
  publish('a6', at(90));
  expect(await decide(500, 'a4', { leaves: ['a4'], waiting: ['a6'] })).toEqual({ head: 'a4', conflict: undefined });
});

const isFinal = ({ position }: Planted, tipHeight: number): boolean => position !== undefined && tipHeight - position.height >= SUPER;
const best = (leaves: readonly Planted[]): Planted => leaves.reduce((a, b) => (beats(b, a) ? b : a));

/** The exception, read word by word: the best leaf, unless the head's own branch is super-final after the fork from it. */
function readSlowly(leaves: readonly Planted[], current: Planted | undefined, tipHeight: number): { head: Planted; stays: boolean } {
  const winner = best(leaves);
  const own = current === undefined ? [] : afterFork(current, winner);
  if (own.length === 0 || !own.some((one) => isFinal(one, tipHeight))) return { head: winner, stays: false };
  const side = leaves.filter((leaf) => ancestry(leaf).includes(own[0] as Planted));
  return { head: readSlowly(side, current, tipHeight).head, stays: true };
}

/** Whether a keystone outside the head's branch is super-final and was built ten blocks after that branch was published. */
function isContradicted({ planted, leaves }: RandomTree, head: Planted, tipHeight: number): boolean {
  return planted.some((keystone) => {
    const [child] = afterFork(head, keystone);
    if (child === undefined || afterFork(keystone, head).length === 0 || !isFinal(keystone, tipHeight)) return false;
    const side = leaves.filter((leaf) => ancestry(leaf).includes(child)).flatMap((leaf) => ancestry(leaf).slice(ancestry(leaf).indexOf(child)));
    const heights = side.flatMap(({ position }) => (position === undefined ? [] : [position.height]));
    return keystone.named >= Math.min(...heights, Number.POSITIVE_INFINITY) + SUPER;
  });
}

const circumstancesOf = ({ planted }: RandomTree, current: Planted | undefined, tipHeight: number, before = tipHeight): Circumstances => ({
  before: current === undefined ? undefined : { head: current.placed, tipHeight: before, held: undefined },
  tipHeight,
  superFinal: SUPER,
  namedHeight: (block) => planted.find(({ placed }) => placed === block)?.named ?? 0,
  waiting: [],
});

test('the order is strict and transitive: of any three leaves of any tree', () => {
  fc.assert(
    fc.property(trees, ({ leaves }) => {
      for (const a of leaves) {
        expect(beats(a, a)).toBe(false);
        for (const b of leaves) {
          if (a !== b) expect(beats(a, b)).toBe(!beats(b, a));
          for (const c of leaves) if (a !== b && b !== c && a !== c && beats(a, b) && beats(b, c)) expect(beats(a, c)).toBe(true);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('in any tree, from any head, the decision is what the protocol says word by word', async () => {
  const cases = fc.record({
    random: trees,
    at: fc.nat(),
    tipHeight: fc.integer({ min: 20, max: 45 }),
    since: fc.constantFrom(0, 0, 1, 15),
    isFresh: fc.boolean(),
  });
  let stayed = 0;
  await fc.assert(
    fc.asyncProperty(cases, async ({ random, at, tipHeight, since, isFresh }) => {
      const current = isFresh ? undefined : random.planted[at % random.planted.length];
      const expected = readSlowly(random.leaves, current, tipHeight - since);
      const { head, conflict } = await decideHead(
        random.tree,
        random.leaves.map(({ placed }) => placed),
        circumstancesOf(random, current, tipHeight, tipHeight - since),
      );
      expect(head).toBe(expected.head.placed);
      expect(conflict !== undefined).toBe(expected.stays || isContradicted(random, expected.head, tipHeight));
      if (expected.stays) stayed += 1;
    }),
    { numRuns: 600 },
  );
  expect(stayed).toBeGreaterThan(0);
});

test('blocks and Bitcoin tips may come in any order: as long as nothing is super-final the head is the same in the end', async () => {
  const cases = fc.record({ random: trees, keys: fc.infiniteStream(fc.nat(1000)) });
  await fc.assert(
    fc.asyncProperty(cases, async ({ random, keys }) => {
      const { tree, planted, leaves } = random;
      const heads = [];
      for (let node = 0; node < 3; node += 1) {
        const waiting = planted.slice(1).map((one) => ({ one, key: keys.next().value as number }));
        const here = new Set([planted[0] as Planted]);
        let head = planted[0] as Planted;
        while (waiting.length > 0) {
          waiting.sort((a, b) => a.key - b.key);
          const next = waiting.findIndex(({ one }) => here.has(one.parent as Planted));
          here.add((waiting.splice(next, 1)[0] as { one: Planted }).one);
          const known = [...here].filter((one) => ![...here].some(({ parent }) => parent === one));
          const ends = known.map(({ placed }) => placed);
          const { head: placed, conflict } = await decideHead(tree, ends, circumstancesOf(random, head, SUPER));
          head = known.find((one) => one.placed === placed) as Planted;
          if (head.position !== undefined) expect(conflict).toBeUndefined();
        }
        heads.push(head);
      }
      expect(new Set(heads)).toEqual(new Set([best(leaves)]));
    }),
    { numRuns: 100 },
  );
});
