import { compare } from '@hemid/protocol';
import type { AnchorPosition, PlacedL2Header } from './ports.ts';

/** What fork choice needs to know of the tree of valid blocks. */
export interface ForkTree {
  parent(block: PlacedL2Header): PlacedL2Header;
  /** Lowest counting publication of a keystone block. */
  position(keystone: PlacedL2Header): Promise<AnchorPosition | undefined>;
  isKeystone(number: bigint): boolean;
}

/** One side of a fork: the leaves in its subtree, and the blocks behind the fork that lead to them. */
interface Side {
  leaves: PlacedL2Header[];
  lowest: AnchorPosition | undefined;
}

function comparePositions(a: AnchorPosition | undefined, b: AnchorPosition | undefined): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1;
  return a.height - b.height || a.txIndex - b.txIndex || a.vout - b.vout;
}

/** Taller first, then the lower hash. */
function compareLeaves(a: PlacedL2Header, b: PlacedL2Header): number {
  if (a.header.number !== b.header.number) return a.header.number > b.header.number ? -1 : 1;
  return compare(a.hash, b.hash);
}

const bestLeaf = (leaves: readonly PlacedL2Header[]): PlacedL2Header => [...leaves].sort(compareLeaves)[0] as PlacedL2Header;
const keyOf = (block: PlacedL2Header): string => Buffer.from(block.hash).toString('hex');

/** The last block that all leaves descend from (or are). */
function commonRoot(tree: ForkTree, leaves: readonly PlacedL2Header[]): PlacedL2Header {
  let level = [...leaves];
  let lowest = level.reduce((min, block) => (block.header.number < min ? block.header.number : min), level[0]?.header.number ?? 0n);
  level = level.map((block) => {
    let current = block;
    while (current.header.number > lowest) current = tree.parent(current);
    return current;
  });
  while (new Set(level.map(keyOf)).size > 1) {
    level = level.map((block) => tree.parent(block));
    lowest -= 1n;
  }
  return level[0] as PlacedL2Header;
}

/** The sides of the fork at `root`, each with the lowest position in its subtree. */
async function sidesOf(tree: ForkTree, root: PlacedL2Header, leaves: readonly PlacedL2Header[]): Promise<Side[]> {
  const sides = new Map<string, Side>();
  const positions = new Map<string, AnchorPosition | undefined>();
  for (const leaf of leaves) {
    let child = leaf;
    let lowest: AnchorPosition | undefined;
    for (let block = leaf; block.header.number > root.header.number; block = tree.parent(block)) {
      child = block;
      if (!tree.isKeystone(block.header.number)) continue;
      if (!positions.has(keyOf(block))) positions.set(keyOf(block), await tree.position(block));
      const position = positions.get(keyOf(block));
      if (comparePositions(position, lowest) < 0) lowest = position;
    }
    const side = sides.get(keyOf(child)) ?? { leaves: [], lowest: undefined };
    side.leaves.push(leaf);
    if (comparePositions(lowest, side.lowest) < 0) side.lowest = lowest;
    sides.set(keyOf(child), side);
  }
  return [...sides.values()];
}

/**
 * The head among all valid leaves (protocol section 8): at each fork, from the root on, the side with the lowest
 * counting publication, then the tallest leaf, then the leaf of lowest hash.
 */
export async function chooseHead(tree: ForkTree, leaves: readonly PlacedL2Header[]): Promise<PlacedL2Header> {
  if (leaves.length <= 1) return bestLeaf(leaves);
  const root = commonRoot(tree, leaves);
  const sides = await sidesOf(tree, root, leaves);
  sides.sort((a, b) => comparePositions(a.lowest, b.lowest) || compareLeaves(bestLeaf(a.leaves), bestLeaf(b.leaves)));
  return chooseHead(tree, (sides[0] as Side).leaves);
}
