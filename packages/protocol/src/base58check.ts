import { sha256 } from '@noble/hashes/sha2.js';
import bs58 from 'bs58';
import { concat, equal } from './bytes.ts';

const CHECKSUM_SIZE = 4;
const checksumOf = (payload: Uint8Array): Uint8Array => sha256(sha256(payload)).subarray(0, CHECKSUM_SIZE);

/** Bytes as Base58Check, as old Bitcoin addresses and extended keys are written. */
export function encodeBase58Check(payload: Uint8Array): string {
  return bs58.encode(concat(payload, checksumOf(payload)));
}

/** The bytes of a Base58Check text; `undefined` when it is none, or its checksum is wrong. */
export function readBase58Check(text: string): Uint8Array | undefined {
  const bytes = bs58.decodeUnsafe(text);
  if (bytes === undefined || bytes.length < CHECKSUM_SIZE) return undefined;
  const payload = bytes.slice(0, -CHECKSUM_SIZE);
  return equal(checksumOf(payload), bytes.slice(-CHECKSUM_SIZE)) ? payload : undefined;
}
