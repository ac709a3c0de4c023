import { fail } from '../errors.ts';
import { nodeKey, nodePrefix, type StateKey } from './key.ts';
import { decodeRow, encodeNode } from './trie-codec.ts';
import { type Child, childOf, type TrieNode } from './trie-node.ts';

/** A trie that a path is proved in. */
export interface ProvedTrie {
  /** '' for the accounts, else a hashed address (latin1). */
  owner: string;
  /** The row that goes by a name in this trie, what of it is the trie's value, and the name's key. */
  rowOf(name: string): StateKey;
  leafOf(row: Uint8Array): Uint8Array;
  keyOf(name: string): string;
}

/** Asks for rows one after the other, whoever reads them: at once, or later. */
export type RowWalk<T> = Generator<StateKey, T, Uint8Array | undefined>;

/** A node with its RLP. */
interface ProvedNode {
  node: TrieNode;
  rlp: Uint8Array;
}

/** The references of a node that was read from a row stand in it. */
const asStored = (child: Child): Uint8Array => {
  if (child instanceof Uint8Array) return child;
  return encodeNode(child, asStored);
};

function* readNode({ owner, rowOf, leafOf, keyOf }: ProvedTrie, path: string): RowWalk<ProvedNode | undefined> {
  const row = yield nodeKey(nodePrefix(owner), path);
  if (row === undefined) return undefined;
  const node = decodeRow(row);
  if (typeof node !== 'string') return { node, rlp: encodeNode(node, asStored) };
  const named = yield rowOf(node);
  if (named === undefined) throw fail('hvm/state-missing', `the value of the trie's leaf at "${path}" is missing`);
  const leaf: TrieNode = { kind: 'leaf', path: keyOf(node).slice(path.length), value: leafOf(named), name: node, isStored: true, dirty: false };
  return { node: leaf, rlp: encodeNode(leaf, asStored) };
}

/**
 * The stored nodes from the root of a trie towards a key (64 hex digits): they prove its value, or that there is none.
 * Embedded nodes are part of their parent, as EIP-1186 has it.
 */
export function* provePath(trie: ProvedTrie, key: string): RowWalk<Uint8Array[]> {
  const proof: Uint8Array[] = [];
  let at = '';
  let child: Child | undefined = new Uint8Array();
  while (child !== undefined) {
    let node: TrieNode;
    if (child instanceof Uint8Array) {
      const found: ProvedNode | undefined = yield* readNode(trie, at);
      if (found === undefined) return proof;
      proof.push(found.rlp);
      node = found.node;
    } else {
      node = child;
    }
    const step: string = node.kind === 'branch' ? (key[at.length] ?? '') : node.path;
    if (node.kind === 'leaf' || step === '' || !key.startsWith(step, at.length)) return proof;
    child = node.kind === 'branch' ? childOf(node, Number.parseInt(step, 16)) : node.child;
    at += step;
  }
  return proof;
}
