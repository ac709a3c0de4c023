import { keccak_256 } from '@noble/hashes/sha3.js';
import { createKeccak } from 'hash-wasm';

const hasher = await createKeccak(256);

/**
 * keccak256 by WebAssembly, several times faster than JavaScript. The one place where execution hashes;
 * {@link keccakReference} is what tests compare it with.
 */
export function keccak(data: Uint8Array): Uint8Array {
  return hasher.init().update(data).digest('binary');
}

/** keccak256 of @noble/hashes. */
export const keccakReference: (data: Uint8Array) => Uint8Array = keccak_256;
