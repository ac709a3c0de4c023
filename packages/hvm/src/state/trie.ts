import { EMPTY_TRIE_ROOT } from '@hemid/protocol';
import { fail } from '../errors.ts';
import { keccak } from './keccak.ts';
import { nodeKey, nodePrefix, type StateKey } from './key.ts';
import { decodeRow, encodeNode, toRow } from './trie-codec.ts';
import { type BranchNode, type Child, childOf, type LeafNode, REFERENCE_SIZE, type Reference, type TrieNode } from './trie-node.ts';

/** Writes a row of a node; `undefined`: the row is gone. */
type WriteRow = (key: StateKey, value: Uint8Array | undefined) => void;

/**
 * A Merkle Patricia trie whose nodes are stored by path. Nodes are read as they are needed, changed in memory, and
 * hashed once at the end, each dirty node a single time; the roots are those of @ethereumjs/mpt. What it holds goes by
 * its name (an address or a slot, latin1), from which the key follows. The row of a leaf is that name alone: its value
 * stands in the state already, and changes without it.
 */
export interface Trie {
  /** Sets a value. */
  put(name: string, value: Uint8Array): void;
  /** Sets another value where the stored trie has one: its leaf need not be read. */
  replace(name: string, value: Uint8Array): void;
  del(name: string): void;
  /** Hashes what is dirty at and below a path where branches lead to it, so that a large commit can be taken in parts; nothing may be put after it. */
  settle(path: string, write: WriteRow): void;
  /** Hashes what is dirty. @returns the root; node rows that changed go to `write`. */
  commit(write: WriteRow): Uint8Array;
}

/** What a trie is opened on. */
export interface TrieDeps {
  /** Reads a stored row of a node. */
  read(key: StateKey): Uint8Array | undefined;
  /** The stored value that goes by a name. */
  value(name: string): Uint8Array | undefined;
  /** The key of a name, as hex digits. */
  keyOf(name: string): string;
}

const common = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length);
  let i = 0;
  while (i < length && a.charCodeAt(i) === b.charCodeAt(i)) i += 1;
  return i;
};
const digit = (path: string): number => Number.parseInt(path[0] ?? '0', 16);

/** Whether a child of a branch is in memory. */
const isNode = (child: Child | number | undefined): child is TrieNode => typeof child === 'object' && !(child instanceof Uint8Array);

function emptyBranch(): BranchNode {
  return { kind: 'branch', children: Array<Child | number | undefined>(16).fill(undefined), leaves: 0, dirty: true };
}

/** A leaf that has no row yet. */
function newLeaf(leaf: Pick<LeafNode, 'path' | 'value' | 'name'>): LeafNode {
  return { kind: 'leaf', path: leaf.path, value: leaf.value, name: leaf.name, isStored: false, dirty: true };
}

/** What is being put: `isKnown` when the stored trie has a value there. */
interface Entry {
  name: string;
  value: Uint8Array;
  isKnown: boolean;
}

/** Opens the trie of an owner: '' for the accounts, else a hashed address (latin1). */
export function openTrie(owner: string, deps: TrieDeps, isEmpty = false): Trie {
  const prefix = nodePrefix(owner);
  /** Paths whose rows are to go, unless a node is written there. */
  const gone = new Set<string>();
  const rowOf = (path: string): Uint8Array | undefined => deps.read(nodeKey(prefix, path));
  const missing = (path: string): Error =>
    fail('hvm/state-missing', `a trie node is missing (owner ${Buffer.from(owner, 'latin1').toString('hex')}, path "${path}")`);

  function decode(row: Uint8Array, path: string): TrieNode {
    const node = decodeRow(row);
    if (typeof node !== 'string') return node;
    const value = deps.value(node);
    if (value === undefined) throw missing(path);
    return { kind: 'leaf', path: deps.keyOf(node).slice(path.length), value, name: node, isStored: true, dirty: false };
  }

  function resolve(child: Child, path: string): TrieNode {
    if (!(child instanceof Uint8Array)) return child;
    const row = rowOf(path);
    if (row === undefined) throw missing(path);
    const node = decode(row, path);
    node.hash = child;
    return node;
  }

  const rootRow = isEmpty ? undefined : rowOf('');
  let root: TrieNode | undefined = rootRow === undefined ? undefined : decode(rootRow, '');
  let rootHash = rootRow === undefined ? EMPTY_TRIE_ROOT : undefined;

  /** A leaf, or what leads to it, split from a node whose path differs from the key's after `shared` digits. */
  function fork(shared: string, old: { step: string; child: Child }, leaf: LeafNode): TrieNode {
    const branch = emptyBranch();
    branch.children[digit(old.step)] = old.child;
    branch.children[digit(leaf.path)] = { ...leaf, path: leaf.path.slice(1) };
    return shared === '' ? branch : { kind: 'extension', path: shared, child: branch, dirty: true };
  }

  function insertIntoBranch(node: BranchNode, way: { at: string; rest: string }, entry: Entry): TrieNode {
    const i = digit(way.rest);
    const path = way.at + way.rest[0];
    const rest = way.rest.slice(1);
    const child = node.children[i];
    const isReference = typeof child === 'number' || child instanceof Uint8Array;
    node.dirty = true;
    if (entry.isKnown && isReference && (node.leaves & (1 << i)) !== 0) {
      node.children[i] = { kind: 'leaf', path: rest, value: entry.value, name: entry.name, isStored: true, dirty: true };
    } else {
      node.children[i] = insert(child === undefined ? undefined : resolve(childOf(node, i) as Child, path), { at: path, rest }, entry);
    }
    return node;
  }

  function insert(node: TrieNode | undefined, way: { at: string; rest: string }, entry: Entry): TrieNode {
    const { at, rest } = way;
    const { name, value } = entry;
    if (node === undefined) return newLeaf({ path: rest, value, name });
    if (node.kind === 'branch') return insertIntoBranch(node, way, entry);
    const shared = common(node.path, rest);
    if (node.kind === 'leaf') {
      // Its row is stored when it holds the name; where it held the leaf itself it is written anew.
      if (shared === rest.length) return { ...node, value, name, dirty: true };
      const step = node.path.slice(shared);
      const child = newLeaf({ path: step.slice(1), value: node.value, name: node.name });
      return fork(rest.slice(0, shared), { step, child }, newLeaf({ path: rest.slice(shared), value, name }));
    }
    if (shared === node.path.length) {
      const path = at + node.path;
      node.child = insert(resolve(node.child, path), { at: path, rest: rest.slice(shared) }, entry);
      node.dirty = true;
      return node;
    }
    const step = node.path.slice(shared);
    const child: Child = step.length === 1 ? node.child : { kind: 'extension', path: step.slice(1), child: node.child, dirty: true };
    return fork(rest.slice(0, shared), { step, child }, newLeaf({ path: rest.slice(shared), value, name }));
  }

  /** A node reached by `step`, as one node without a branch between: leaves and extensions take the step in. */
  function join(step: string, child: TrieNode, childAt: string): TrieNode {
    if (child.kind === 'branch') return { kind: 'extension', path: step, child, dirty: true };
    gone.add(childAt);
    if (child.kind === 'leaf') return newLeaf({ ...child, path: step + child.path });
    return { ...child, path: step + child.path, dirty: true };
  }

  function remove(node: TrieNode, at: string, rest: string): TrieNode | undefined {
    if (node.kind === 'leaf') {
      if (node.path !== rest) return node;
      gone.add(at);
      return undefined;
    }
    if (node.kind === 'extension') {
      if (!rest.startsWith(node.path)) return node;
      const path = at + node.path;
      const before = resolve(node.child, path);
      const child = remove(before, path, rest.slice(node.path.length));
      if (child === before && !child.dirty) return node;
      if (child === undefined) {
        gone.add(at);
        return undefined;
      }
      if (child.kind === 'branch') return { ...node, child, dirty: true };
      return join(node.path, child, path);
    }
    return removeFromBranch(node, at, rest);
  }

  function removeFromBranch(node: BranchNode, at: string, rest: string): TrieNode {
    const i = digit(rest);
    const child = childOf(node, i);
    if (child === undefined) return node;
    const path = at + rest[0];
    const before = resolve(child, path);
    const after = remove(before, path, rest.slice(1));
    if (after === before && !after.dirty) return node;
    node.children[i] = after;
    node.dirty = true;
    if (after !== undefined) return node;
    node.leaves &= ~(1 << i);
    const left = node.children.flatMap((one, index) => (one === undefined ? [] : [index]));
    if (left.length > 1) return node;
    const only = left[0] as number;
    const step = only.toString(16);
    return join(step, resolve(childOf(node, only) as Child, at + step), at + step);
  }

  /** The reference of a child of a branch or extension; a branch notes which of its children are leaves that go by a name. */
  function commitChild(parent: TrieNode, way: { at: string; step: string; child: Child }, write: WriteRow): Reference {
    const { child } = way;
    if (child instanceof Uint8Array) return child;
    const reference = commitNode(child, way.at + way.step, write);
    if (parent.kind !== 'branch') return reference;
    const bit = 1 << digit(way.step);
    const isNamed = child.kind === 'leaf' && child.name !== undefined && reference.length === 32;
    parent.leaves = isNamed ? parent.leaves | bit : parent.leaves & ~bit;
    return reference;
  }

  function commitNode(node: TrieNode, at: string, write: WriteRow): Reference {
    if (!node.dirty && node.hash !== undefined) return node.hash;
    const rlp = encodeNode(node, (child, step) => commitChild(node, { at, step, child }, write));
    const isEmbedded = rlp.length < 32 && at !== '';
    if (node.dirty) {
      node.dirty = false;
      if (isEmbedded) gone.add(at);
      else {
        gone.delete(at);
        if (node.kind !== 'leaf' || !node.isStored) write(nodeKey(prefix, at), toRow(node, rlp));
      }
    }
    return isEmbedded ? rlp : keccak(rlp);
  }

  /** The branch that branches in memory lead to along a path. */
  function branchAt(path: string): BranchNode | undefined {
    let node: Child | number | undefined = root;
    for (const step of path) node = isNode(node) && node.kind === 'branch' ? node.children[digit(step)] : undefined;
    return isNode(node) && node.kind === 'branch' ? node : undefined;
  }

  function set(entry: Entry): void {
    root = insert(root, { at: '', rest: deps.keyOf(entry.name) }, entry);
    rootHash = undefined;
  }

  return {
    put: (name, value) => set({ name, value, isKnown: false }),
    replace: (name, value) => set({ name, value, isKnown: true }),
    del(name) {
      if (root === undefined) return;
      root = remove(root, '', deps.keyOf(name));
      rootHash = undefined;
    },
    settle(path, write) {
      const [at, step] = [path.slice(0, -1), path.slice(-1)];
      const parent = branchAt(at);
      const child = parent?.children[digit(step)];
      if (parent === undefined || !isNode(child) || !child.dirty) return;
      const reference = commitChild(parent, { at, step, child }, write);
      // A node that is embedded stays: it is written with its parent.
      if (reference.length === REFERENCE_SIZE) parent.children[digit(step)] = reference;
    },
    commit(write) {
      if (rootHash !== undefined) return rootHash;
      rootHash = root === undefined ? EMPTY_TRIE_ROOT : commitNode(root, '', write);
      for (const path of gone) if (rowOf(path) !== undefined) write(nodeKey(prefix, path), undefined);
      gone.clear();
      return rootHash;
    },
  };
}
