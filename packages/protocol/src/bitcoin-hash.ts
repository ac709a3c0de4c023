import { sha256 } from '@noble/hashes/sha2.js';
import { fromHex, toDigits } from './bytes.ts';
import { fail } from './errors.ts';

/** sha256(sha256(data)): 32 bytes in internal order. */
export function sha256d(data: Uint8Array): Uint8Array {
  return sha256(sha256(data));
}

/** A Bitcoin hash in display order (reversed), as hex without 0x. The one way out of internal order. */
export function toDisplay(hash: Uint8Array): string {
  return toDigits(displayBytes(hash));
}

/**
 * A Bitcoin hash from its display form (hex, with or without 0x). The one way into internal order.
 *
 * @throws `protocol/encoding` unless it is 32 bytes of hex.
 */
export function fromDisplay(text: string): Uint8Array {
  const bytes = fromHex(text);
  if (bytes.length !== 32) throw fail('protocol/encoding', `a Bitcoin hash has 32 bytes, not ${bytes.length}`);
  return bytes.reverse();
}

/** The 32 bytes of a hash in the other order: internal to display, or back. */
export function displayBytes(hash: Uint8Array): Uint8Array {
  return hash.slice().reverse();
}
