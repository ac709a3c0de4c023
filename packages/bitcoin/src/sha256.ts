import { hash } from 'node:crypto';

/** sha256 in one native call: some times as fast as JavaScript, which counts where every transaction is hashed. */
export function sha256(bytes: Uint8Array): Uint8Array {
  const digest = hash('sha256', bytes, 'buffer');
  return new Uint8Array(digest.buffer, digest.byteOffset, digest.length);
}

/** sha256(sha256(bytes)), internal order. */
export function sha256d(bytes: Uint8Array): Uint8Array {
  return sha256(hash('sha256', bytes, 'buffer'));
}
