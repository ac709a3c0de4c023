import { toDisplay } from '@hemid/protocol';
import type { Batch, Reader, Store } from '@hemid/store';
import { fail } from '../errors.ts';
import { type RegtestBlock, readBlock } from './block.ts';
import { addBlock, newNode, type Offer } from './block-offer.ts';
import { ancestorAt, type BlockNode, BlockState, type BlockTree, hasState, loadBlockTree } from './block-tree.ts';
import { connectCoins, revertCoins, writeCoins } from './coins.ts';
import { GENESIS_BLOCK } from './consensus.ts';
import { regtestLayout, SCHEMA } from './layout.ts';
import { describe } from './spending.ts';

/** How the active chain moved: blocks taken back, tip first, and blocks put on, lowest first. */
export interface ChainMove {
  removed: RegtestBlock[];
  added: RegtestBlock[];
  /** Blocks whose connection failed on the way, with the reason. */
  failed: Map<string, string>;
}

/** The block tree and the active chain in it: always the heaviest chain that is valid, the first seen of equals. */
export interface Chain {
  tip(): BlockNode;
  read(id: string): BlockNode | undefined;
  blocks(): Iterable<BlockNode>;
  /** The block of the active chain at a height. */
  at(height: number): BlockNode | undefined;
  isActive(node: BlockNode): boolean;
  /** The full block; `undefined` while only its header is known. */
  body(node: BlockNode, reader?: Reader): RegtestBlock | undefined;
  /** Checks a block and adds it to the tree; {@link activate} decides whether it is connected. */
  offer(block: RegtestBlock, nowSeconds: number, batch: Batch): Offer;
  /** Moves to the best chain. */
  activate(batch: Batch): ChainMove;
  /** Marks a block and all above it as invalid, and takes them back: `activate` goes on from its parent. */
  invalidate(node: BlockNode, batch: Batch): ChainMove;
  /** Takes back the mark from a block, its ancestors and its descendants. */
  reconsider(node: BlockNode, batch: Batch): void;
}

/**
 * Loads the chain from its store, and writes the genesis block into an empty one.
 *
 * @throws `bitcoin/regtest-layout` when another version of this code wrote it.
 */
export async function loadChain(store: Store): Promise<Chain> {
  const tree = await loadBlockTree(store);
  if ([...tree.all()].length === 0) await writeGenesis(store, tree);
  const schema = store.get(regtestLayout.meta, 'schema')?.[0];
  let tip = tree.read(toDisplay(store.get(regtestLayout.meta, 'tip') ?? new Uint8Array())) as BlockNode;
  if (schema !== SCHEMA || tip === undefined) {
    throw fail('bitcoin/regtest-layout', `the embedded Bitcoin's database has layout ${schema}, and ${SCHEMA} is needed: remove it`);
  }
  const active: BlockNode[] = [];
  for (let at: BlockNode | undefined = tip; at !== undefined; at = at.parent) active[at.height] = at;
  const candidates = new Set<BlockNode>(tree.all());

  /** Whether `a` is to be preferred to `b`. Every block has the same work, so the higher is the heavier. */
  const isBetter = (a: BlockNode, b: BlockNode): boolean => a.height > b.height || (a.height === b.height && a.sequence < b.sequence);

  const isReachable = (node: BlockNode): boolean => {
    let at: BlockNode | undefined = node;
    while (at !== undefined && active[at.height] !== at) {
      if (!hasState(at, BlockState.BODY) || hasState(at, BlockState.FAILED)) return false;
      at = at.parent;
    }
    return true;
  };

  function best(): BlockNode {
    let found = tip;
    for (const node of candidates) {
      if (node !== tip && !isBetter(node, tip) && isReachable(node)) candidates.delete(node);
      else if (isBetter(node, found) && isReachable(node)) found = node;
    }
    return found;
  }

  function body(node: BlockNode, reader: Reader = store): RegtestBlock | undefined {
    const raw = reader.get(regtestLayout.body, node.hash);
    return raw === undefined ? undefined : readBlock(raw);
  }

  function moveTip(to: BlockNode, batch: Batch): void {
    tip = to;
    active.length = to.height;
    active.push(to);
    batch.put(regtestLayout.meta, 'tip', to.hash);
  }

  function disconnectTip(move: ChainMove, batch: Batch): void {
    const block = body(tip, batch) as RegtestBlock;
    revertCoins(block, batch.get(regtestLayout.undo, tip.hash) ?? [], batch);
    moveTip(tip.parent as BlockNode, batch);
    move.removed.push(block);
  }

  function connect(node: BlockNode, move: ChainMove, batch: Batch): boolean {
    const block = body(node, batch) as RegtestBlock;
    const changes = connectCoins(block, tip, batch);
    if ('reason' in changes) {
      move.failed.set(node.id, describe(changes));
      markFailed(node, batch);
      return false;
    }
    writeCoins(block, changes, batch);
    tree.put(Object.assign(node, { state: node.state | BlockState.CONNECTED }), batch);
    moveTip(node, batch);
    move.added.push(block);
    return true;
  }

  function markFailed(node: BlockNode, batch: Batch): void {
    for (const other of tree.all()) {
      if (ancestorAt(other, node.height) !== node) continue;
      tree.put(Object.assign(other, { state: other.state | BlockState.FAILED }), batch);
    }
  }

  function activate(batch: Batch, move: ChainMove = { removed: [], added: [], failed: new Map() }): ChainMove {
    for (let goal = best(); goal !== tip; goal = best()) {
      const path: BlockNode[] = [];
      let fork: BlockNode = goal;
      for (; active[fork.height] !== fork; fork = fork.parent as BlockNode) path.push(fork);
      while (tip !== fork) disconnectTip(move, batch);
      while (path.length > 0 && connect(path.pop() as BlockNode, move, batch));
    }
    return move;
  }

  return {
    tip: () => tip,
    read: (id) => tree.read(id),
    blocks: () => tree.all(),
    at: (height) => active[height],
    isActive: (node) => active[node.height] === node,
    body,
    activate: (batch) => activate(batch),

    offer(block, nowSeconds, batch) {
      const answer = addBlock(tree, block, nowSeconds, batch);
      if ('node' in answer && !answer.known) candidates.add(answer.node);
      return answer;
    },

    invalidate(node, batch) {
      const move: ChainMove = { removed: [], added: [], failed: new Map() };
      while (active[node.height] === node && node.height > 0) disconnectTip(move, batch);
      if (node.height > 0) markFailed(node, batch);
      for (const other of tree.all()) candidates.add(other);
      return activate(batch, move);
    },

    reconsider(node, batch) {
      for (const other of tree.all()) {
        const related = ancestorAt(other, node.height) === node || ancestorAt(node, other.height) === other;
        if (!related) continue;
        candidates.add(other);
        if (hasState(other, BlockState.FAILED)) tree.put(Object.assign(other, { state: other.state & ~BlockState.FAILED }), batch);
      }
    },
  };
}

async function writeGenesis(store: Store, tree: BlockTree): Promise<void> {
  const block = readBlock(GENESIS_BLOCK) as RegtestBlock;
  const node = newNode(block, undefined);
  const batch = store.batch();
  // Its coinbase never enters the unspent set.
  tree.put(Object.assign(node, { state: BlockState.BODY | BlockState.CONNECTED, transactions: 1 }), batch);
  batch.put(regtestLayout.body, block.hash, block.raw);
  batch.put(regtestLayout.meta, 'tip', block.hash);
  batch.put(regtestLayout.meta, 'schema', Uint8Array.of(SCHEMA));
  await batch.commit();
}
