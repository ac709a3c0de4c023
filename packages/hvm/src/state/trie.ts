import { EMPTY_TRIE_ROOT } from '@hemid/protocol';
import { fail } from '../errors.ts';
import { keccak } from './keccak.ts';
import { nodeKey, nodePrefix, type StateKey } from './key.ts';
import { type BranchNode, type Child, childOf, decodeNode, encodeNode, type Reference, type TrieNode } from './trie-node.ts';

/**
 * A Merkle Patricia trie whose nodes are stored by path. Nodes are read as they are needed, changed in memory, and
 * hashed once at the end, each dirty node a single time; the roots are those of @ethereumjs/mpt.
 */
export interface Trie {
  /** Sets the value of a key (64 hex digits, the hash of what it stands for). */
  put(key: string, value: Uint8Array): void;
  del(key: string): void;
  /** Hashes what is dirty below one child of the root, so that a large commit can be taken in parts; nothing may be put after it. */
  settle(digit: number, write: (key: StateKey, value: Uint8Array | undefined) => void): void;
  /** Hashes what is dirty. @returns the root; node rows that changed go to `write` (`undefined`: the row is gone). */
  commit(write: (key: StateKey, value: Uint8Array | undefined) => void): Uint8Array;
}

/** Reads a stored row. */
export type ReadRow = (key: StateKey) => Uint8Array | undefined;

const common = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length);
  let i = 0;
  while (i < length && a.charCodeAt(i) === b.charCodeAt(i)) i += 1;
  return i;
};
const digit = (path: string): number => Number.parseInt(path[0] ?? '0', 16);

function emptyBranch(): BranchNode {
  return { kind: 'branch', children: Array<Child | number | undefined>(16).fill(undefined), dirty: true };
}

/** Opens the trie of an owner: '' for the accounts, else a hashed address (latin1). */
export function openTrie(owner: string, read: ReadRow, isEmpty = false): Trie {
  const prefix = nodePrefix(owner);
  /** Paths whose rows are to go, unless a node is written there. */
  const gone = new Set<string>();
  const rowOf = (path: string): Uint8Array | undefined => read(nodeKey(prefix, path));

  function load(path: string): TrieNode {
    const bytes = rowOf(path);
    if (bytes === undefined)
      throw fail('hvm/state-missing', `a trie node is missing (owner ${Buffer.from(owner, 'latin1').toString('hex')}, path "${path}")`);
    return decodeNode(bytes);
  }

  function resolve(child: Child, path: string): TrieNode {
    if (!(child instanceof Uint8Array)) return child;
    const node = load(path);
    node.hash = child;
    return node;
  }

  const rootRow = isEmpty ? undefined : rowOf('');
  let root: TrieNode | undefined = rootRow === undefined ? undefined : decodeNode(rootRow);
  let rootHash = rootRow === undefined ? EMPTY_TRIE_ROOT : undefined;

  /** A leaf, or what leads to it, split from a node whose path differs from the key's after `shared` digits. */
  function fork(shared: string, old: { step: string; child: Child }, leaf: { path: string; value: Uint8Array }): TrieNode {
    const branch = emptyBranch();
    branch.children[digit(old.step)] = old.child;
    branch.children[digit(leaf.path)] = { kind: 'leaf', path: leaf.path.slice(1), value: leaf.value, dirty: true };
    return shared === '' ? branch : { kind: 'extension', path: shared, child: branch, dirty: true };
  }

  function insert(node: TrieNode | undefined, at: string, rest: string, value: Uint8Array): TrieNode {
    if (node === undefined) return { kind: 'leaf', path: rest, value, dirty: true };
    if (node.kind === 'branch') {
      const i = digit(rest);
      const child = childOf(node, i);
      const path = at + rest[0];
      node.children[i] = insert(child === undefined ? undefined : resolve(child, path), path, rest.slice(1), value);
      node.dirty = true;
      return node;
    }
    const shared = common(node.path, rest);
    if (node.kind === 'leaf') {
      if (shared === rest.length) return { ...node, value, dirty: true };
      const step = node.path.slice(shared);
      const child: TrieNode = { kind: 'leaf', path: step.slice(1), value: node.value, dirty: true };
      return fork(rest.slice(0, shared), { step, child }, { path: rest.slice(shared), value });
    }
    if (shared === node.path.length) {
      const path = at + node.path;
      node.child = insert(resolve(node.child, path), path, rest.slice(shared), value);
      node.dirty = true;
      return node;
    }
    const step = node.path.slice(shared);
    const child: Child = step.length === 1 ? node.child : { kind: 'extension', path: step.slice(1), child: node.child, dirty: true };
    return fork(rest.slice(0, shared), { step, child }, { path: rest.slice(shared), value });
  }

  /** A node reached by `step`, as one node without a branch between: leaves and extensions take the step in. */
  function join(step: string, child: TrieNode, childAt: string): TrieNode {
    if (child.kind === 'branch') return { kind: 'extension', path: step, child, dirty: true };
    gone.add(childAt);
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
    const left = node.children.flatMap((one, index) => (one === undefined ? [] : [index]));
    if (left.length > 1) return node;
    const only = left[0] as number;
    const step = only.toString(16);
    return join(step, resolve(childOf(node, only) as Child, at + step), at + step);
  }

  function commitNode(node: TrieNode, at: string, write: (key: StateKey, value: Uint8Array | undefined) => void): Reference {
    if (!node.dirty && node.hash !== undefined) return node.hash;
    const bytes = encodeNode(node, (child, step) => (child instanceof Uint8Array ? child : commitNode(child, at + step, write)));
    const embedded = bytes.length < 32 && at !== '';
    if (node.dirty) {
      node.dirty = false;
      if (embedded) gone.add(at);
      else {
        gone.delete(at);
        write(nodeKey(prefix, at), bytes);
      }
    }
    return embedded ? bytes : keccak(bytes);
  }

  return {
    put(key, value) {
      root = insert(root, '', key, value);
      rootHash = undefined;
    },
    del(key) {
      if (root === undefined) return;
      root = remove(root, '', key);
      rootHash = undefined;
    },
    settle(digit, write) {
      const child = root?.kind === 'branch' ? root.children[digit] : undefined;
      if (root?.kind !== 'branch' || typeof child !== 'object' || child instanceof Uint8Array || !child.dirty) return;
      const reference = commitNode(child, digit.toString(16), write);
      // A node that is embedded stays: it is written with its parent.
      if (reference.length === 32) root.children[digit] = reference;
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
