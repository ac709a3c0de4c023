import { compare, type L2Header, toDigits } from '@hemid/protocol';
import fc from 'fast-check';
import { type AnchorPosition, chooseHead, type ForkTree, type PlacedL2Header } from '../src/index.ts';

/** A block: its name (its hash begins with it), and the Bitcoin place of its first counting publication. */
export interface Planted {
  placed: PlacedL2Header;
  parent: Planted | undefined;
  position: AnchorPosition | undefined;
  /** Height of the Bitcoin tip that the block names. */
  named: number;
}

/** Every second block is a keystone. */
export const PERIOD = 2n;
export const at = (height: number, txIndex = 1, vout = 0): AnchorPosition => ({ height, txIndex, vout });

/** A tree whose even numbers are keystones. */
export function createTree() {
  const blocks = new Map<string, Planted>();
  const asked: string[] = [];

  function plant(name: string, parent?: string, position?: AnchorPosition): string {
    const over = parent === undefined ? undefined : blocks.get(parent);
    const hash = new Uint8Array(32);
    hash.set(new TextEncoder().encode(name));
    const number = over === undefined ? 0n : over.placed.header.number + 1n;
    blocks.set(name, { placed: { header: { number } as L2Header, hash }, parent: over, position, named: 0 });
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
    tree,
    nameOf,
    placed: (name: string): PlacedL2Header => (blocks.get(name) as Planted).placed,
    /** Height of the Bitcoin tip that a block names. */
    name(block: string, height: number) {
      (blocks.get(block) as Planted).named = height;
    },
    named: (hash: Uint8Array): number => byHash(hash).named,
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

/** A random tree of blocks, and what is asked of it. */
export interface RandomTree {
  tree: ForkTree;
  planted: Planted[];
  leaves: Planted[];
}

/** The tree of planted blocks. */
export function treeOf(planted: readonly Planted[]): RandomTree {
  const byHash = new Map(planted.map((one) => [toDigits(one.placed.hash), one]));
  const parents = new Set(planted.map((one) => one.parent));
  const tree: ForkTree = {
    parent: (block) => ((byHash.get(toDigits(block.hash)) as Planted).parent as Planted).placed,
    position: async (block) => byHash.get(toDigits(block.hash))?.position,
    isKeystone: (number) => number > 0n && number % PERIOD === 0n,
  };
  return { tree, planted: [...planted], leaves: planted.filter((one) => !parents.has(one)) };
}

/** Random trees: for each block its parent among those before it, and maybe a position that no other block has. */
export const trees = fc
  .array(
    fc.record({
      parent: fc.nat(),
      published: fc.boolean(),
      height: fc.integer({ min: 1, max: 30 }),
      lead: fc.integer({ min: 1, max: 20 }),
      salt: fc.nat(255),
    }),
    { minLength: 2, maxLength: 40 },
  )
  .map((rows) => {
    const genesis = { header: { number: 0n } as L2Header, hash: new Uint8Array(32) };
    const planted: Planted[] = [{ placed: genesis, parent: undefined, position: undefined, named: 0 }];
    for (const [i, { parent, published, height, lead, salt }] of rows.entries()) {
      // Mostly near the end, so that branches grow long.
      const over = planted[Math.max(0, planted.length - 1 - (parent % 5))] as Planted;
      const hash = new Uint8Array(32).fill(salt);
      hash[31] = i;
      const number = over.placed.header.number + 1n;
      const isPublished = published && number % PERIOD === 0n;
      planted.push({
        placed: { header: { number } as L2Header, hash },
        parent: over,
        position: isPublished ? at(height, i) : undefined,
        named: height - lead,
      });
    }
    return treeOf(planted);
  });

/** From the genesis up to a block. */
export function ancestry(leaf: Planted): Planted[] {
  const path: Planted[] = [];
  for (let one: Planted | undefined = leaf; one !== undefined; one = one.parent) path.push(one);
  return path.reverse();
}

/** The blocks of `a` that `b` has not. */
export const afterFork = (a: Planted, b: Planted): Planted[] => {
  const other = new Set(ancestry(b));
  return ancestry(a).filter((one) => !other.has(one));
};

const sortKey = (position: AnchorPosition): string =>
  [position.height, position.txIndex, position.vout].map((n) => String(n).padStart(9, '0')).join(' ');

/** Protocol section 8, read for two branches: the lowest position after their fork, then more blocks, then the lower hash. */
export function beats(a: Planted, b: Planted): boolean {
  const lowest = (path: Planted[]): string => path.flatMap(({ position }) => (position === undefined ? [] : [sortKey(position)])).sort()[0] ?? '~';
  const [x, y] = [lowest(afterFork(a, b)), lowest(afterFork(b, a))];
  if (x !== y) return x < y;
  if (a.placed.header.number !== b.placed.header.number) return a.placed.header.number > b.placed.header.number;
  return compare(a.placed.hash, b.placed.hash) < 0;
}
