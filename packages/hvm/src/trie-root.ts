import { RLP } from '@ethereumjs/rlp';
import { toDigits } from '@hemid/protocol';
import { openTrie } from './state/trie.ts';

const NOTHING = (): undefined => undefined;
const KEYS = { read: NOTHING, value: NOTHING, keyOf: (key: string) => key };

/** Root of the trie index → item that headers commit to for transactions and receipts. */
export function listRoot(items: readonly Uint8Array[]): Uint8Array {
  // No RLP of an index is a prefix of another, as this trie wants it.
  const trie = openTrie('', KEYS, true);
  for (const [i, item] of items.entries()) trie.put(toDigits(RLP.encode(i)), item);
  return trie.commit(NOTHING);
}
