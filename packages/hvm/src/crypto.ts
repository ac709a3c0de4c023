import type { CustomCrypto } from '@ethereumjs/common';
import secp256k1 from 'secp256k1';
import { fail } from './errors.ts';
import { verifyKzgProof } from './kzg.ts';
import { keccak } from './state/keccak.ts';

/**
 * Recovers the public key of an Ethereum signature with libsecp256k1 (a prebuilt binary, or its own JavaScript where
 * there is none).
 *
 * @returns 64 bytes x ‖ y.
 * @throws `hvm/transaction-invalid` when nobody made this signature.
 */
export function recover(hash: Uint8Array, signature: { recovery: number; r: Uint8Array; s: Uint8Array }): Uint8Array {
  const compact = new Uint8Array(64);
  compact.set(signature.r, 32 - signature.r.length);
  compact.set(signature.s, 64 - signature.s.length);
  try {
    return secp256k1.ecdsaRecover(compact, signature.recovery, hash, false).slice(1);
  } catch (cause) {
    throw fail('hvm/transaction-invalid', 'invalid signature', { cause });
  }
}

/** What precompile 0x0a needs of KZG; this chain takes no blobs, so nothing is ever committed to. */
const kzg = { verifyProof: verifyKzgProof } as NonNullable<CustomCrypto['kzg']>;

/** What @ethereumjs is given instead of its pure JavaScript. */
export const fastCrypto: CustomCrypto = {
  kzg,
  keccak256: keccak,
  ecrecover(hash, v, r, s, chainId) {
    const recovery = v === 0n || v === 1n ? Number(v) : chainId === undefined ? Number(v) - 27 : Number(v) - (Number(chainId) * 2 + 35);
    return recover(hash, { recovery, r, s });
  },
};
