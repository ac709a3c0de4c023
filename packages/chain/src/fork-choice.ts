import { compare } from '@hemid/protocol';
import type { AnchorPosition, PlacedL2Header } from './ports.ts';

/** What fork choice needs to know of the tree of valid blocks. */
export interface ForkTree {
  parent(block: PlacedL2Header): PlacedL2Header;
  /** Lowest counting publication of a keystone block. */
  position(keystone: PlacedL2Header): Promise<AnchorPosition | undefined>;
  isKeystone(number: bigint): boolean;
}

/** A keystone block with its lowest counting publication. */
export interface Anchored {
  keystone: PlacedL2Header;
  position: AnchorPosition;
}

/** One side of a fork: the first block behind it, and what its subtree holds. */
export interface Side {
  child: PlacedL2Header;
  leaves: PlacedL2Header[];
  /** Its published keystones, that of the lowest position first. */
  anchored: Anchored[];
}

/** Chooses among the sides of a fork, which are given best first. */
export type SidePick = (root: PlacedL2Header, sides: readonly Side[]) => Side;

/** Negative when `a` is lower; `undefined` is infinity. */
export function comparePositions(a: AnchorPosition | undefined, b: AnchorPosition | undefined): number {
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

/** The sides of the fork at `root`, best first. */
async function sidesOf(tree: ForkTree, root: PlacedL2Header, leaves: readonly PlacedL2Header[]): Promise<Side[]> {
  const sides = new Map<string, Side>();
  const seen = new Set<string>();
  for (const leaf of leaves) {
    let child = leaf;
    const anchored: Anchored[] = [];
    for (let block = leaf; block.header.number > root.header.number; block = tree.parent(block)) {
      child = block;
      if (!tree.isKeystone(block.header.number) || seen.has(keyOf(block))) continue;
      seen.add(keyOf(block));
      const position = await tree.position(block);
      if (position !== undefined) anchored.push({ keystone: block, position });
    }
    const side = sides.get(keyOf(child)) ?? { child, leaves: [], anchored: [] };
    side.leaves.push(leaf);
    side.anchored.push(...anchored);
    sides.set(keyOf(child), side);
  }
  for (const { anchored } of sides.values()) anchored.sort((a, b) => comparePositions(a.position, b.position));
  return [...sides.values()].sort(
    (a, b) => comparePositions(a.anchored[0]?.position, b.anchored[0]?.position) || compareLeaves(bestLeaf(a.leaves), bestLeaf(b.leaves)),
  );
}

const best: SidePick = (_, sides) => sides[0] as Side;

/**
 * The head among all valid leaves (protocol section 8): at each fork, from the root on, the side with the lowest
 * counting publication, then the tallest leaf, then the leaf of lowest hash; or the side that `pick` prefers.
 */
export async function chooseHead(tree: ForkTree, leaves: readonly PlacedL2Header[], pick: SidePick = best): Promise<PlacedL2Header> {
  if (leaves.length <= 1) return bestLeaf(leaves);
  const root = commonRoot(tree, leaves);
  return chooseHead(tree, pick(root, await sidesOf(tree, root, leaves)).leaves, pick);
}
