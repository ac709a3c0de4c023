import { concat, fromBigEndian, toBigEndian } from '@hemid/protocol';
import { sha256 } from '@noble/hashes/sha2.js';
import { hashes, Point, schnorr, verify } from '@noble/secp256k1';

// The synchronous half of the library works only with a hash function given to it.
hashes.sha256 = sha256;

const ORDER = Point.CURVE().n;

/**
 * Whether an ECDSA signature, with its hash type byte, is in the one DER form Bitcoin takes (BIP66;
 * Core's IsValidSignatureEncoding).
 */
export function isStrictDer(signature: Uint8Array): boolean {
  const at = (i: number): number => signature[i] ?? 0;
  if (signature.length < 9 || signature.length > 73) return false;
  if (at(0) !== 0x30 || at(1) !== signature.length - 3) return false;
  const rSize = at(3);
  if (5 + rSize >= signature.length) return false;
  const sSize = at(5 + rSize);
  if (rSize + sSize + 7 !== signature.length) return false;
  return isDerInteger(signature.subarray(2, 4 + rSize)) && isDerInteger(signature.subarray(4 + rSize, 6 + rSize + sSize));
}

/** A DER integer with its tag and length: positive, no needless zero in front. */
function isDerInteger(field: Uint8Array): boolean {
  const [tag, size, first = 0, second = 0] = field;
  if (tag !== 0x02 || size === 0 || first >= 0x80) return false;
  return size === 1 || first !== 0 || second >= 0x80;
}

/** r and s of a signature that {@link isStrictDer}. */
function readDer(signature: Uint8Array): { r: bigint; s: bigint } {
  const rSize = signature[3] ?? 0;
  const r = fromBigEndian(signature.subarray(4, 4 + rSize));
  const s = fromBigEndian(signature.subarray(6 + rSize, -1));
  return { r, s };
}

/** Whether s is in the lower half of the order (BIP62 rule 5, policy only). The signature must be strict DER. */
export function isLowS(signature: Uint8Array): boolean {
  const { s } = readDer(signature);
  return s <= ORDER / 2n;
}

/** Whether a public key is 33 bytes beginning 02/03 or 65 bytes beginning 04 (it may still be off the curve). */
export function isPlainKey(key: Uint8Array): boolean {
  return (key.length === 33 && (key[0] === 2 || key[0] === 3)) || (key.length === 65 && key[0] === 4);
}

/** The key as the library reads it: consensus also takes the hybrid form 06/07, whose first byte repeats y's parity. */
function plainKey(key: Uint8Array): Uint8Array | undefined {
  if (isPlainKey(key)) return key;
  const hybrid = key.length === 65 && (key[0] === 6 || key[0] === 7) && (key[0] & 1) === ((key[64] ?? 0) & 1);
  return hybrid ? concat(Uint8Array.of(4), key.subarray(1)) : undefined;
}

/** Verifies a strict-DER signature with its hash type byte; false for a key that is none. */
export function verifyEcdsa(signature: Uint8Array, digest: Uint8Array, key: Uint8Array): boolean {
  const { r, s } = readDer(signature);
  const plain = plainKey(key);
  if (plain === undefined || r === 0n || s === 0n || r >= ORDER || s >= ORDER) return false;
  const compact = concat(toBigEndian(r, 32), toBigEndian(s, 32));
  try {
    return verify(compact, digest, plain, { prehash: false, lowS: false });
  } catch {
    return false;
  }
}

/** Verifies a 64-byte BIP340 signature under a 32-byte key; false for a key that is not on the curve. */
export function verifySchnorr(signature: Uint8Array, digest: Uint8Array, key: Uint8Array): boolean {
  return schnorr.verify(signature, digest, key);
}
