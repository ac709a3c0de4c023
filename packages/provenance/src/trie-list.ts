import { encodeRlp, fromHex, type RlpItem, toDigits, toMinimal } from '@hemid/protocol';
import { keccak_256 } from '@noble/hashes/sha3.js';

interface Entry {
  /** Nibbles. */
  key: string;
  value: Uint8Array;
}

const keyOf = (index: number): string => toDigits(encodeRlp(toMinimal(index)));

/** A compact path (Yellow Paper, appendix C). */
function writePath(nibbles: string, flag: 0 | 2): Uint8Array {
  return fromHex(nibbles.length % 2 === 1 ? `${flag + 1}${nibbles}` : `${flag}0${nibbles}`);
}

function commonPrefix(entries: readonly Entry[], depth: number): string {
  const [first, last] = [entries[0]?.key ?? '', entries[entries.length - 1]?.key ?? ''];
  let end = depth;
  while (end < first.length && first[end] === last[end]) end += 1;
  return first.slice(depth, end);
}

/**
 * The nodes from the root of the trie index → item down to one item: what headers commit to for transactions and
 * receipts, and how an EIP-1186 proof shows it.
 */
export function proveListItem(items: readonly Uint8Array[], index: number): Uint8Array[] {
  const wanted = keyOf(index);
  const proof: Uint8Array[] = [];

  function nodeOf(entries: readonly Entry[], depth: number): RlpItem {
    const [only] = entries;
    if (only !== undefined && entries.length === 1) return [writePath(only.key.slice(depth), 2), only.value];
    const prefix = commonPrefix(entries, depth);
    if (prefix !== '') return [writePath(prefix, 0), referenceTo(entries, depth + prefix.length)];
    const children = Array.from({ length: 16 }, (_, nibble) => {
      const below = entries.filter(({ key }) => Number.parseInt(key[depth] ?? '', 16) === nibble);
      return below.length === 0 ? new Uint8Array() : referenceTo(below, depth + 1);
    });
    return [...children, new Uint8Array()];
  }

  function referenceTo(entries: readonly Entry[], depth: number): RlpItem {
    const node = nodeOf(entries, depth);
    const bytes = encodeRlp(node);
    if (bytes.length < 32 && depth > 0) return node;
    if (entries.some(({ key }) => key === wanted)) proof.push(bytes);
    return keccak_256(bytes);
  }

  const entries = items.map((value, i) => ({ key: keyOf(i), value }));
  // No key is a prefix of another; in order, the first and the last of a group share what all of it shares.
  referenceTo(
    entries.sort((a, b) => (a.key < b.key ? -1 : 1)),
    0,
  );
  return proof.reverse();
}
