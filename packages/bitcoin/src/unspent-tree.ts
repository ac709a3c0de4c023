import { compare, type Page, type UnspentOutput } from '@hemid/protocol';
import { type Batch, layout, NO_VERSION, type Reader, type ScriptRow } from '@hemid/store';
import { decodeNode, encodeNode, type TreeChild, type TreeEntry, type TreeNode } from './unspent-node.ts';

/**
 * The unspent outputs of one script as a counted B+ tree that keeps every version of itself.
 *
 * Precompiles 0x40 and 0x41 cost a fixed price, so that neither a script with millions of outputs, nor one with a
 * long history, nor a `start` far into its list may cost rows. The newest root stands in one row, with the balance;
 * a root of an earlier block is one seek away. Children carry the number of outputs below them, so that skipping
 * reads one path. A block writes the nodes that it changes anew, named by its height, and never touches older ones:
 * a version is what it was, and reverting a block is deleting its nodes and taking the root before.
 *
 * Nodes that lose entries are not merged, empty ones vanish. The height grows with inserts only: {@link MAX_DEPTH}
 * levels hold more outputs than Bitcoin can make. A page of n outputs reads at most 1 + (n + 1) × MAX_DEPTH rows,
 * in a tree that an adversary thinned out at great cost, and about n / 8 + MAX_DEPTH in others.
 */

/** Entries of a node at most; a node with more splits in two halves. */
const FANOUT = 16;

/** Levels below a root at most: a level takes 8 new nodes of the one below to gain a node, and outputs are fewer than 2^36. */
export const MAX_DEPTH = 12;

/** An output that a block makes or spends. */
export interface UnspentChange extends TreeEntry {
  kind: 'made' | 'spent';
}

/** A version to read: its row, and the script it belongs to. */
export interface ScriptVersion {
  scriptHash: Uint8Array;
  row: ScriptRow;
}

const emptyLeaf = (): TreeNode => ({ kind: 'leaf', entries: [] });
const notHeld = (): Error => new RangeError('the unspent tree of a script does not hold an output that a block spends');

function readNode(reader: Reader, scriptHash: Uint8Array, { since, index }: TreeChild): TreeNode {
  const bytes = reader.get(layout.scriptNode, { scriptHash, since, index });
  if (bytes === undefined) throw new RangeError(`the unspent tree of a script lacks node ${since}/${index}`);
  return decodeNode(bytes);
}

/** How many of a sorted list are ≤ an outpoint. */
function countUpTo(list: readonly { outpoint: Uint8Array }[], outpoint: Uint8Array): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare((list[middle] as { outpoint: Uint8Array }).outpoint, outpoint) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

const sizeOf = (node: TreeNode): number => (node.kind === 'leaf' ? node.entries.length : node.children.length);

function countOf(node: TreeNode): number {
  return node.kind === 'leaf' ? node.entries.length : node.children.reduce((sum, child) => sum + child.count, 0);
}

/** A node on its way to its row, as a child of another. */
function toChild(node: TreeNode): TreeChild {
  const first = node.kind === 'leaf' ? node.entries[0] : node.children[0];
  if (first === undefined) throw new RangeError('a node without entries has no place in a tree');
  return { outpoint: first.outpoint, since: NO_VERSION, index: 0, count: countOf(node), node };
}

function halves(node: TreeNode): [TreeNode, TreeNode] {
  const at = sizeOf(node) >>> 1;
  if (node.kind === 'leaf') {
    return [
      { kind: 'leaf', entries: node.entries.slice(0, at) },
      { kind: 'leaf', entries: node.entries.slice(at) },
    ];
  }
  return [
    { kind: 'inner', children: node.children.slice(0, at) },
    { kind: 'inner', children: node.children.slice(at) },
  ];
}

/** The tree of one script while a block changes it: nodes are read once, written once. */
interface Edit {
  batch: Batch;
  scriptHash: Uint8Array;
}

function load({ batch, scriptHash }: Edit, child: TreeChild): TreeNode {
  child.node ??= readNode(batch, scriptHash, child);
  return child.node;
}

/** Adds an output below a node; @returns whether it was not there yet. */
function insert(edit: Edit, node: TreeNode, entry: TreeEntry): boolean {
  if (node.kind === 'leaf') {
    const at = countUpTo(node.entries, entry.outpoint);
    const before = node.entries[at - 1];
    if (before !== undefined && compare(before.outpoint, entry.outpoint) === 0) return false;
    node.entries.splice(at, 0, entry);
    return true;
  }
  const at = Math.max(0, countUpTo(node.children, entry.outpoint) - 1);
  const child = node.children[at] as TreeChild;
  const below = load(edit, child);
  if (!insert(edit, below, entry)) return false;
  child.count += 1;
  if (compare(entry.outpoint, child.outpoint) < 0) child.outpoint = entry.outpoint;
  if (sizeOf(below) > FANOUT) {
    const [left, right] = halves(below);
    const { outpoint, since, index } = child;
    node.children.splice(at, 1, { ...toChild(left), outpoint, since, index }, toChild(right));
  }
  return true;
}

/** Takes an output away from below a node. */
function remove(edit: Edit, node: TreeNode, outpoint: Uint8Array): void {
  const at = countUpTo(node.kind === 'leaf' ? node.entries : node.children, outpoint) - 1;
  if (at < 0) throw notHeld();
  if (node.kind === 'leaf') {
    if (compare((node.entries[at] as TreeEntry).outpoint, outpoint) !== 0) throw notHeld();
    node.entries.splice(at, 1);
    return;
  }
  const child = node.children[at] as TreeChild;
  remove(edit, load(edit, child), outpoint);
  child.count -= 1;
  if (child.count === 0) node.children.splice(at, 1);
}

/** The root after a change: one level more when it is too large, levels without a choice left out. */
function settle(edit: Edit, root: TreeNode): TreeNode {
  if (sizeOf(root) > FANOUT) return { kind: 'inner', children: halves(root).map(toChild) };
  if (root.kind === 'leaf' || root.children.length > 1) return root;
  return root.children[0] === undefined ? emptyLeaf() : settle(edit, load(edit, root.children[0]));
}

/** Writes the changed nodes below a node as nodes of a height, from index `free` on; @returns the next free index. */
function writeBelow(edit: Edit, node: TreeNode, since: number, free: number): number {
  let next = free;
  for (const child of node.kind === 'leaf' ? [] : node.children) {
    if (child.node === undefined) continue;
    if (child.since !== since) {
      child.since = since;
      child.index = next;
      next += 1;
    }
    next = writeBelow(edit, child.node, since, next);
    edit.batch.put(layout.scriptNode, { scriptHash: edit.scriptHash, since, index: child.index }, encodeNode(child.node));
  }
  return next;
}

/** A script, and the block that changes it. */
export interface ScriptAt {
  scriptHash: Uint8Array;
  height: number;
}

/**
 * Applies what the block at `height` made and spent of one script. May be called again with the same height to make
 * more (a snapshot comes in pieces); an output that is already there is left alone.
 */
export function applyChanges(batch: Batch, { scriptHash, height }: ScriptAt, changes: readonly UnspentChange[]): void {
  const before = batch.get(layout.script, scriptHash);
  const edit = { batch, scriptHash };
  let root = before === undefined ? emptyLeaf() : decodeNode(before.root);
  let balanceSats = before?.balanceSats ?? 0n;
  for (const { kind, outpoint, valueSats } of [...changes].sort((a, b) => compare(a.outpoint, b.outpoint))) {
    if (kind === 'spent') {
      remove(edit, root, outpoint);
      balanceSats -= valueSats;
    } else if (insert(edit, root, { outpoint, valueSats })) {
      balanceSats += valueSats;
    }
    root = settle(edit, root);
  }
  const isAgain = before?.since === height;
  if (before !== undefined && !isAgain) batch.put(layout.pastScript, { scriptHash, since: before.since }, before);
  const nodes = writeBelow(edit, root, height, isAgain ? before.nodes : 0);
  const previous = isAgain ? before.previous : (before?.since ?? NO_VERSION);
  batch.put(layout.script, scriptHash, { since: height, previous, balanceSats, nodes, root: encodeNode(root) });
}

/** Takes back what the block at `height` changed of a script; nothing when it changed nothing. */
export function revertChanges(batch: Batch, { scriptHash, height }: ScriptAt): void {
  const row = batch.get(layout.script, scriptHash);
  if (row?.since !== height) return;
  for (let index = 0; index < row.nodes; index += 1) batch.del(layout.scriptNode, { scriptHash, since: height, index });
  if (row.previous === NO_VERSION) {
    batch.del(layout.script, scriptHash);
    return;
  }
  const key = { scriptHash, since: row.previous };
  const before = batch.get(layout.pastScript, key);
  if (before === undefined) throw new RangeError(`the unspent tree of a script lacks its version ${row.previous}`);
  batch.put(layout.script, scriptHash, before);
  batch.del(layout.pastScript, key);
}

function toUnspent({ outpoint, valueSats }: TreeEntry): UnspentOutput {
  const vout = new DataView(outpoint.buffer, outpoint.byteOffset + 32, 4).getUint32(0);
  return { txid: outpoint.slice(0, 32), vout, valueSats };
}

/** A page of a version's outputs, in key order. */
export function listUnspent(reader: Reader, { scriptHash, row }: ScriptVersion, page: Page): UnspentOutput[] {
  const found: UnspentOutput[] = [];
  let skip = page.skip;
  function visit(node: TreeNode): void {
    if (node.kind === 'leaf') {
      found.push(...node.entries.slice(skip, skip + page.limit - found.length).map(toUnspent));
      skip = 0;
      return;
    }
    for (const child of node.children) {
      if (found.length >= page.limit) return;
      if (child.count <= skip) skip -= child.count;
      else visit(readNode(reader, scriptHash, child));
    }
  }
  visit(decodeNode(row.root));
  return found;
}
