import { RLP } from '@ethereumjs/rlp';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeRlp, type RlpItem } from '../src/rlp.ts';

const bytes = fc.oneof(fc.uint8Array({ maxLength: 3 }), fc.uint8Array({ maxLength: 70 }), fc.uint8Array({ minLength: 250, maxLength: 260 }));
const item = fc.letrec<{ item: RlpItem }>((tie) => ({ item: fc.oneof({ maxDepth: 4 }, bytes, fc.array(tie('item'), { maxLength: 12 })) })).item;

test('RLP is what @ethereumjs/rlp writes', () => {
  fc.assert(
    fc.property(item, (one) => {
      expect(encodeRlp(one)).toEqual(RLP.encode(one as never));
    }),
    { numRuns: 2000 },
  );
  for (const length of [55, 56, 255, 256, 65_535, 65_536, 16_777_216]) {
    const one = new Uint8Array(length).fill(200);
    expect(Buffer.compare(encodeRlp([one, one]), RLP.encode([one, one]))).toBe(0);
  }
});
