import { fail } from '../errors.ts';
import { nodeKey, nodePrefix } from './key.ts';
import type { StateSource } from './source.ts';
import { type Child, childOf, decodeRow, encodeNode, type TrieNode } from './trie-node.ts';

/** What a path is proved in. */
export interface ProofDeps {
  source: StateSource;
  /** '' for the accounts, else a hashed address (latin1). */
  owner: string;
  /** The value that goes by a name in this trie, and the name's key. */
  value(name: string): Promise<Uint8Array | undefined>;
  keyOf(name: string): string;
}

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

async function readNode({ source, owner, value, keyOf }: ProofDeps, path: string): Promise<ProvedNode | undefined> {
  const row = await source.read(nodeKey(nodePrefix(owner), path));
  if (row === undefined) return undefined;
  const node = decodeRow(row);
  if (typeof node !== 'string') return { node, rlp: encodeNode(node, asStored) };
  const bytes = await value(node);
  if (bytes === undefined) throw fail('hvm/state-missing', `the value of the trie's leaf at "${path}" is missing`);
  const leaf: TrieNode = { kind: 'leaf', path: keyOf(node).slice(path.length), value: bytes, name: node, isStored: true, dirty: false };
  return { node: leaf, rlp: encodeNode(leaf, asStored) };
}

/**
 * The stored nodes from the root of a trie towards a key (64 hex digits): they prove its value, or that there is none.
 * Embedded nodes are part of their parent, as EIP-1186 has it.
 */
export async function provePath(deps: ProofDeps, key: string): Promise<Uint8Array[]> {
  const proof: Uint8Array[] = [];
  let at = '';
  let child: Child | undefined = new Uint8Array();
  while (child !== undefined) {
    let node: TrieNode;
    if (child instanceof Uint8Array) {
      const found = await readNode(deps, at);
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
