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

/** How many digits a path has in common with a key from `depth` on. */
function common(path: string, key: string, depth: number): number {
  const length = Math.min(path.length, key.length - depth);
  let i = 0;
  while (i < length && path.charCodeAt(i) === key.charCodeAt(depth + i)) i += 1;
  return i;
}

/** The digit at a place of a path. */
function digit(path: string, at = 0): number {
  const code = path.charCodeAt(at);
  return code >= 97 ? code - 87 : code - 48;
}

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
  /** Digits. */
  key: string;
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

  /** A branch in place of a node whose path differs from the key's at `at`, with what leads there from `depth` on. */
  function fork({ key, name, value }: Entry, { depth, at }: { depth: number; at: number }, old: { step: string; child: Child }): TrieNode {
    const branch = emptyBranch();
    branch.children[digit(old.step)] = old.child;
    branch.children[digit(key, at)] = newLeaf({ path: key.slice(at + 1), value, name });
    return at === depth ? branch : { kind: 'extension', path: key.slice(depth, at), child: branch, dirty: true };
  }

  function insertIntoBranch(node: BranchNode, depth: number, entry: Entry): TrieNode {
    const { key, name, value } = entry;
    const i = digit(key, depth);
    const child = node.children[i];
    const isReference = typeof child === 'number' || child instanceof Uint8Array;
    node.dirty = true;
    if (entry.isKnown && isReference && (node.leaves & (1 << i)) !== 0) {
      node.children[i] = { kind: 'leaf', path: key.slice(depth + 1), value, name, isStored: true, dirty: true };
    } else {
      const found = isReference ? resolve(childOf(node, i) as Child, key.slice(0, depth + 1)) : child;
      node.children[i] = insert(found, depth + 1, entry);
    }
    return node;
  }

  /** Puts an entry at or below a node at the first `depth` digits of its key. */
  function insert(node: TrieNode | undefined, depth: number, entry: Entry): TrieNode {
    const { key, name, value } = entry;
    if (node === undefined) return newLeaf({ path: key.slice(depth), value, name });
    if (node.kind === 'branch') return insertIntoBranch(node, depth, entry);
    const shared = common(node.path, key, depth);
    const at = depth + shared;
    if (node.kind === 'leaf') {
      // Its row is stored when it holds the name; where it held the leaf itself it is written anew.
      if (at === key.length) return { kind: 'leaf', path: node.path, value, name, isStored: node.isStored, dirty: true };
      const step = node.path.slice(shared);
      return fork(entry, { depth, at }, { step, child: newLeaf({ path: step.slice(1), value: node.value, name: node.name }) });
    }
    if (shared === node.path.length) {
      node.child = insert(resolve(node.child, key.slice(0, at)), at, entry);
      node.dirty = true;
      return node;
    }
    const step = node.path.slice(shared);
    const child: Child = step.length === 1 ? node.child : { kind: 'extension', path: step.slice(1), child: node.child, dirty: true };
    return fork(entry, { depth, at }, { step, child });
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
    root = insert(root, 0, entry);
    rootHash = undefined;
  }

  return {
    put: (name, value) => set({ name, key: deps.keyOf(name), value, isKnown: false }),
    replace: (name, value) => set({ name, key: deps.keyOf(name), value, isKnown: true }),
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
