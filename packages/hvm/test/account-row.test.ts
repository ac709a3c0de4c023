import { RLP } from '@ethereumjs/rlp';
import { Account } from '@ethereumjs/util';
import { toMinimal } from '@hemid/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeAccount, encodeAccount } from '../src/state/account-row.ts';

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const integer = (bits: bigint) =>
  fc.oneof(
    fc.bigInt(0n, 300n),
    fc.bigInt(0n, 2n ** bits - 1n),
    fc.integer({ min: 0, max: Number(bits) - 1 }).map((bit) => 2n ** BigInt(bit)),
  );

describe('the row of an account', () => {
  it('is what an RLP library makes of its fields, and is read back', () => {
    fc.assert(
      fc.property(integer(64n), integer(256n), hash, hash, (nonce, balance, storageRoot, codeHash) => {
        const bytes = encodeAccount(new Account(nonce, balance, storageRoot, codeHash));
        expect(bytes).toEqual(RLP.encode([toMinimal(nonce), toMinimal(balance), storageRoot, codeHash]));
        expect(decodeAccount(bytes)).toEqual(new Account(nonce, balance, storageRoot, codeHash));
      }),
      { numRuns: 2000 },
    );
  });
});
