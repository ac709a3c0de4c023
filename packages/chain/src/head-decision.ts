import { equal } from '@hemid/protocol';
import { type Anchored, chooseHead, comparePositions, type ForkTree, type Side, type SidePick } from './fork-choice.ts';
import type { AnchorPosition, PlacedL2Header } from './ports.ts';

/**
 * Two branches that are super-final both, of which one was withheld: no rule may say which (protocol section 8).
 *
 * - `stays`: the node is on a super-final branch, and a lower one came;
 * - `contradicted`: the branch the node is on was published long before another was built that knows nothing of it;
 * - `waiting`: a lower one is sealed, but cannot be executed yet for want of Bitcoin data.
 */
export interface Conflict {
  kind: 'stays' | 'contradicted' | 'waiting';
  /** The last block that both branches have. */
  fork: PlacedL2Header;
  /** The lowest published keystone after the fork on the branch the node is on. */
  own: Anchored | undefined;
  /** The keystone of the other branch that makes the conflict. */
  other: Anchored;
}

/** Where a node stood when it decided last. */
export interface Standpoint {
  head: PlacedL2Header;
  /** Height of the Bitcoin tip then. */
  tipHeight: number;
  /** The published keystone that its finalized block rests on. */
  held: PlacedL2Header | undefined;
}

/** What a node knows when it decides. */
export interface Circumstances {
  /** `undefined` when it chooses afresh: for the first time, or after a deep reorg of Bitcoin. */
  before: Standpoint | undefined;
  /** Height of the Bitcoin tip that confirmations are counted from. */
  tipHeight: number;
  /** Confirmations of a super-final keystone. */
  superFinal: number;
  /** Height of the Bitcoin tip that a published keystone's block names. */
  namedHeight(keystone: PlacedL2Header): number;
  /** The tips of sealed branches that wait for Bitcoin data. */
  waiting: readonly PlacedL2Header[];
}

/** Where a node stands after it has looked at all it knows. */
export interface Decision {
  head: PlacedL2Header;
  conflict: Conflict | undefined;
}

const isAt = (block: PlacedL2Header, other: PlacedL2Header | undefined): boolean => other !== undefined && equal(block.hash, other.hash);

/** The ancestor-or-self of a block at a number. */
function ancestorAt(tree: ForkTree, block: PlacedL2Header, number: bigint): PlacedL2Header {
  let ancestor = block;
  while (ancestor.header.number > number) ancestor = tree.parent(ancestor);
  return ancestor;
}

const isOnPath = (tree: ForkTree, block: PlacedL2Header, tip: PlacedL2Header): boolean => isAt(ancestorAt(tree, tip, block.header.number), block);

/**
 * The head by the order of {@link chooseHead}, with its one exception (protocol section 8): a node does not leave a
 * branch that is super-final after the fork, and reports a conflict instead.
 */
export async function decideHead(tree: ForkTree, leaves: readonly PlacedL2Header[], circumstances: Circumstances): Promise<Decision> {
  const { before, tipHeight, superFinal } = circumstances;
  const isSuperFinal = ({ position }: Anchored): boolean => tipHeight - position.height >= superFinal;
  let conflict: Conflict | undefined;

  /**
   * The side the node is on, if it may not leave it: if it was super-final when the node decided last. What became so
   * since is not the node's choice yet; however many Bitcoin blocks come at once, the outcome is that of one by one.
   */
  function ownSide(root: PlacedL2Header, sides: readonly Side[]): { side: Side; own: Anchored } | undefined {
    if (before === undefined || before.head.header.number <= root.header.number) return undefined;
    const child = ancestorAt(tree, before.head, root.header.number + 1n);
    const side = sides.find((one) => isAt(one.child, child));
    const own = side?.anchored.filter(({ keystone }) => isOnPath(tree, keystone, before.head)) ?? [];
    const [lowest] = own;
    if (side === undefined || lowest === undefined) return undefined;
    const wasFinal = before.tipHeight - lowest.position.height >= superFinal || own.some(({ keystone }) => isAt(keystone, before.held));
    return wasFinal ? { side, own: lowest } : undefined;
  }

  /** A super-final keystone of a losing side that was built when the winner had long been published. */
  function contradiction(winner: Side, losers: readonly Side[]): Anchored | undefined {
    const lowest = winner.anchored[0]?.position.height ?? Number.POSITIVE_INFINITY;
    const built = (keystone: PlacedL2Header): number => circumstances.namedHeight(keystone);
    return losers.flatMap(({ anchored }) => anchored).find((one) => isSuperFinal(one) && built(one.keystone) >= lowest + superFinal);
  }

  const pick: SidePick = (root, sides) => {
    const [winner, ...losers] = sides as [Side, ...Side[]];
    const kept = ownSide(root, sides);
    if (kept !== undefined && kept.side !== winner) {
      conflict ??= { kind: 'stays', fork: root, own: kept.own, other: winner.anchored[0] as Anchored };
      return kept.side;
    }
    const other = contradiction(winner, losers);
    if (other !== undefined) conflict ??= { kind: 'contradicted', fork: root, own: winner.anchored[0], other };
    return winner;
  };

  const head = await chooseHead(tree, leaves, pick);
  for (const tip of circumstances.waiting) conflict ??= await waitingConflict(tree, { head, tip, isSuperFinal });
  return { head, conflict };
}

/** The conflict of a head with a branch that waits, if that one holds a super-final keystone of lower position. */
async function waitingConflict(
  tree: ForkTree,
  { head, tip, isSuperFinal }: { head: PlacedL2Header; tip: PlacedL2Header; isSuperFinal: (one: Anchored) => boolean },
): Promise<Conflict | undefined> {
  const [own, other] = [[head], [tip]];
  for (;;) {
    const [a, b] = [own[own.length - 1] as PlacedL2Header, other[other.length - 1] as PlacedL2Header];
    if (isAt(a, b)) break;
    if (a.header.number >= b.header.number) own.push(tree.parent(a));
    if (b.header.number >= a.header.number) other.push(tree.parent(b));
  }
  const fork = own.pop() as PlacedL2Header;
  // What waits on top of the head is no other branch.
  if (own.length === 0) return undefined;
  const lowest = await lowestOf(tree, other.slice(0, -1));
  if (lowest === undefined || !isSuperFinal(lowest)) return undefined;
  const ours = await lowestOf(tree, own);
  return comparePositions(lowest.position, ours?.position) < 0 ? { kind: 'waiting', fork, own: ours, other: lowest } : undefined;
}

async function lowestOf(tree: ForkTree, blocks: readonly PlacedL2Header[]): Promise<Anchored | undefined> {
  let lowest: Anchored | undefined;
  for (const keystone of blocks) {
    const position: AnchorPosition | undefined = tree.isKeystone(keystone.header.number) ? await tree.position(keystone) : undefined;
    if (position !== undefined && comparePositions(position, lowest?.position) < 0) lowest = { keystone, position };
  }
  return lowest;
}
