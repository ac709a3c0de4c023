import { getPublicKey } from '@noble/secp256k1';
import { expect, test } from 'vitest';
import { addressOfKey, readSealer, signSeal } from '../src/index.ts';

const key = new Uint8Array(32).fill(9);
const hash = new Uint8Array(32).fill(3);
const N = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;

test('a seal names its signer for its chain and block alone', () => {
  const seal = signSeal(key, 743_555n, hash);
  const signer = addressOfKey(getPublicKey(key));
  expect(seal).toHaveLength(65);
  expect(readSealer(seal, 743_555n, hash)).toEqual(signer);
  expect(readSealer(seal, 743_556n, hash)).not.toEqual(signer);
  expect(readSealer(seal, 743_555n, new Uint8Array(32).fill(4))).not.toEqual(signer);
});

test('a seal with high s, another v or another length is nobody’s', () => {
  const seal = signSeal(key, 1n, hash);
  const s = BigInt(`0x${Buffer.from(seal.subarray(32, 64)).toString('hex')}`);
  const high = seal.slice();
  high.set(Buffer.from((N - s).toString(16).padStart(64, '0'), 'hex'), 32);
  high[64] = 1 - (seal[64] ?? 0);
  expect(readSealer(high, 1n, hash)).toBeUndefined();
  const v27 = seal.slice();
  v27[64] = 27;
  expect(readSealer(v27, 1n, hash)).toBeUndefined();
  expect(readSealer(seal.subarray(0, 64), 1n, hash)).toBeUndefined();
  expect(readSealer(new Uint8Array(65), 1n, hash)).toBeUndefined();
});
