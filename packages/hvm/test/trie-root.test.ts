import { MerklePatriciaTrie } from '@ethereumjs/mpt';
import { RLP } from '@ethereumjs/rlp';
import { expect, test } from 'vitest';
import { listRoot } from '../src/trie-root.ts';

test('the root of a list is that of @ethereumjs/mpt, for every length that matters', async () => {
  const oracle = new MerklePatriciaTrie();
  const items: Uint8Array[] = [];
  for (let i = 0; i < 300; i += 1) {
    expect(listRoot(items)).toEqual(oracle.root());
    const item = new Uint8Array(1 + ((i * 7) % 90)).fill(i % 255 || 1);
    items.push(item);
    await oracle.put(RLP.encode(i), item);
  }
});
