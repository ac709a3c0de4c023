import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { hashes, recoverPublicKey, sign } from '@noble/secp256k1';
import { concat, fromBigEndian, toBigEndian } from './bytes.ts';
import { addressOfKey } from './pop-identity.ts';

hashes.sha256 = sha256;
hashes.hmacSha256 = (key, message) => hmac(sha256, key, message);

/** Bytes of a seal: r ‖ s ‖ v. */
export const SEAL_SIZE = 65;
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/** What a sequencer signs for a block (protocol section 3). */
export function sealDigest(chainId: bigint, blockHash: Uint8Array): Uint8Array {
  return keccak_256(concat(new TextEncoder().encode('hemid-seal-v1'), toBigEndian(chainId, 8), blockHash));
}

/** Signs a block: 65 bytes r ‖ s ‖ v, low s. Deterministic (RFC 6979). */
export function signSeal(key: Uint8Array, chainId: bigint, blockHash: Uint8Array): Uint8Array {
  const signature = sign(sealDigest(chainId, blockHash), key, { prehash: false, lowS: true, format: 'recovered' });
  return concat(signature.subarray(1), signature.subarray(0, 1));
}

/** Who sealed a block: a 20-byte address, or `undefined` when the seal is not a canonical signature. */
export function readSealer(seal: Uint8Array, chainId: bigint, blockHash: Uint8Array): Uint8Array | undefined {
  const v = seal[64];
  if (seal.length !== SEAL_SIZE || (v !== 0 && v !== 1)) return undefined;
  if (fromBigEndian(seal.subarray(32, 64)) > HALF_ORDER) return undefined;
  try {
    const recovered = concat(Uint8Array.of(v), seal.subarray(0, 64));
    return addressOfKey(recoverPublicKey(recovered, sealDigest(chainId, blockHash), { prehash: false }));
  } catch {
    // The library throws plain errors for r or s out of range: then nobody sealed this block.
    return undefined;
  }
}
