import { hash } from 'node:crypto';

/** Through text: a digest as a Buffer of its own takes Node four times as long, and garbage outside the heap. */
const digest = (bytes: Uint8Array): Buffer => Buffer.from(hash('sha256', bytes, 'binary'), 'latin1');

const toPlain = ({ buffer, byteOffset, length }: Buffer): Uint8Array => new Uint8Array(buffer, byteOffset, length);

/** sha256 in one native call: some times as fast as JavaScript, which counts where every transaction is hashed. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return toPlain(digest(bytes));
}

/** sha256(sha256(bytes)), internal order. */
export function sha256d(bytes: Uint8Array): Uint8Array {
  return toPlain(digest(digest(bytes)));
}
