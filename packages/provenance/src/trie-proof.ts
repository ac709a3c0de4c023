import { decodeRlp, equal, isHemidError, type RlpItem, toDigits } from '@hemid/protocol';
import { keccak_256 } from '@noble/hashes/sha3.js';

/** The nibbles of a compact path, and whether it ends at a value (Yellow Paper, appendix C); `undefined` if malformed. */
function readPath(bytes: Uint8Array): { nibbles: string; isLeaf: boolean } | undefined {
  const digits = toDigits(bytes);
  const flag = Number.parseInt(digits[0] ?? '', 16);
  if (!(flag < 4) || (flag % 2 === 0 && digits[1] !== '0')) return undefined;
  return { nibbles: digits.slice(flag % 2 === 1 ? 1 : 2), isLeaf: flag >= 2 };
}

function decodeNode(bytes: Uint8Array): RlpItem[] | undefined {
  try {
    const node = decodeRlp(bytes, 'a trie node') as RlpItem;
    return Array.isArray(node) ? node : undefined;
  } catch (error) {
    if (isHemidError(error, 'protocol/encoding')) return undefined;
    throw error;
  }
}

/**
 * The value that a Merkle-Patricia trie with this root has at a key, shown by its nodes from the root down (EIP-1186);
 * `undefined` unless exactly these nodes lead to it.
 */
export function readTrieProof(root: Uint8Array, key: Uint8Array, nodes: readonly Uint8Array[]): Uint8Array | undefined {
  let left = toDigits(key);
  let at: RlpItem = root;
  for (let used = 0; ; ) {
    // A node of less than 32 bytes stands in its parent; any other is named by its hash.
    let node: readonly RlpItem[] | undefined;
    if (at instanceof Uint8Array) {
      const bytes = nodes[used];
      if (bytes === undefined || !equal(keccak_256(bytes), at)) return undefined;
      node = decodeNode(bytes);
      used += 1;
    } else {
      node = at;
    }
    let next: RlpItem | undefined;
    if (node?.length === 17) {
      next = left === '' ? node[16] : node[Number.parseInt(left[0] as string, 16)];
      if (left === '') return next instanceof Uint8Array && used === nodes.length ? next : undefined;
      left = left.slice(1);
    } else if (node?.length === 2) {
      const path = node[0] instanceof Uint8Array ? readPath(node[0]) : undefined;
      if (path === undefined || !left.startsWith(path.nibbles)) return undefined;
      left = left.slice(path.nibbles.length);
      next = node[1];
      if (path.isLeaf) return left === '' && next instanceof Uint8Array && used === nodes.length ? next : undefined;
    }
    if (next === undefined) return undefined;
    at = next;
  }
}
