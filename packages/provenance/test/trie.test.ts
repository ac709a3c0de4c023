import { listRoot } from '@hemid/hvm';
import { encodeRlp, toMinimal } from '@hemid/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { proveListItem } from '../src/trie-list.ts';
import { readTrieProof } from '../src/trie-proof.ts';

const item = fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.uint8Array({ minLength: 100, maxLength: 300 }));
const list = fc.oneof(fc.array(item, { minLength: 1, maxLength: 20 }), fc.array(item, { minLength: 120, maxLength: 300 }));
const keyOf = (index: number): Uint8Array => encodeRlp(toMinimal(index));

test('what is proven of a list is its item, under the root that headers commit to', () => {
  fc.assert(
    fc.property(list, fc.nat(), (items, choice) => {
      const index = choice % items.length;
      const proof = proveListItem(items, index);
      expect(readTrieProof(listRoot(items), keyOf(index), proof)).toEqual(items[index]);
    }),
    { numRuns: 60 },
  );
});

test('a proof with a byte changed, a node more, a node less, or of another index proves nothing', () => {
  fc.assert(
    fc.property(list, fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), (items, choice, place, mask) => {
      const index = choice % items.length;
      const root = listRoot(items);
      const proof = proveListItem(items, index);
      const at = place % proof.length;
      const node = proof[at] as Uint8Array;
      const changed = node.map((byte, i) => (i === place % node.length ? byte ^ mask : byte));
      expect(readTrieProof(root, keyOf(index), proof.with(at, changed))).toBeUndefined();
      expect(readTrieProof(root, keyOf(index), [...proof, node])).toBeUndefined();
      expect(readTrieProof(root, keyOf(index), proof.slice(0, -1))).toBeUndefined();
      expect(readTrieProof(root, keyOf(items.length), proof)).toBeUndefined();
    }),
    { numRuns: 60 },
  );
});

test('random nodes under their own hash prove nothing and never throw', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 4 }), fc.uint8Array({ maxLength: 32 }), (nodes, key) => {
      expect(readTrieProof(new Uint8Array(32), key, nodes)).toBeUndefined();
    }),
  );
});
