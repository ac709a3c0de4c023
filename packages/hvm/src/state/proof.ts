import { nodeKey, nodePrefix } from './key.ts';
import type { StateSource } from './source.ts';
import { type Child, childOf, decodeNode, type TrieNode } from './trie-node.ts';

/**
 * The stored nodes from the root of a trie towards a key (64 hex digits): they prove its value, or that there is none.
 * Embedded nodes are part of their parent, as EIP-1186 has it.
 */
export async function provePath(source: StateSource, owner: string, key: string): Promise<Uint8Array[]> {
  const prefix = nodePrefix(owner);
  const proof: Uint8Array[] = [];
  let at = '';
  let child: Child | undefined = new Uint8Array();
  while (child !== undefined) {
    let node: TrieNode;
    if (child instanceof Uint8Array) {
      const bytes = await source.read(nodeKey(prefix, at));
      if (bytes === undefined) return proof;
      proof.push(bytes);
      node = decodeNode(bytes);
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
