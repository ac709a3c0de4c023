import { isHemidError, toHex } from '@hemid/protocol';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { getPublicKey, hashes, recoverPublicKey, sign } from '@noble/secp256k1';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fastCrypto, recover } from '../src/crypto.ts';
import { keccak, keccakReference } from '../src/state/keccak.ts';

hashes.sha256 = sha256;
hashes.hmacSha256 = (key, message) => hmac(sha256, key, message);

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });

test('keccak256 by WebAssembly is that of @noble/hashes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 600 }), (data) => {
      expect(toHex(keccak(data))).toBe(toHex(keccakReference(data)));
    }),
  );
});

test('libsecp256k1 recovers the key that @noble/secp256k1 signed with, in every form of v', () => {
  fc.assert(
    fc.property(bytes32, bytes32, (seed, hash) => {
      const key = sha256(seed);
      const signature = sign(hash, key, { prehash: false, format: 'recovered' });
      const recovery = signature[0] ?? 0;
      const [r, s] = [signature.slice(1, 33), signature.slice(33)];
      const expected = toHex(getPublicKey(key, false).slice(1));
      expect(toHex(recover(hash, { recovery, r, s }))).toBe(expected);
      expect(toHex(getPublicKey(key, true))).toBe(toHex(recoverPublicKey(signature, hash, { prehash: false })));
      const ecrecover = fastCrypto.ecrecover as NonNullable<typeof fastCrypto.ecrecover>;
      expect(toHex(ecrecover(hash, BigInt(recovery), r, s))).toBe(expected);
      expect(toHex(ecrecover(hash, BigInt(recovery + 27), r, s))).toBe(expected);
      expect(toHex(ecrecover(hash, BigInt(recovery + 35 + 2 * 743_555), r, s, 743_555n))).toBe(expected);
    }),
    { numRuns: 40 },
  );
});

test('a signature that nobody made is refused as invalid, whatever its bytes', () => {
  fc.assert(
    fc.property(bytes32, fc.uint8Array({ maxLength: 32 }), fc.uint8Array({ maxLength: 32 }), fc.nat({ max: 3 }), (hash, r, s, recovery) => {
      try {
        expect(recover(hash, { recovery, r, s })).toHaveLength(64);
      } catch (error) {
        expect(isHemidError(error, 'hvm/transaction-invalid')).toBe(true);
      }
    }),
  );
});
