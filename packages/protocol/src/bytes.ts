import { hexToBytes as fromHexDigits, bytesToHex as toHexDigits } from '@noble/hashes/utils.js';
import { fail } from './errors.ts';

/** A 0x-prefixed hex string. */
export type Hex = `0x${string}`;

/** Bytes as hex with 0x. */
export function toHex(bytes: Uint8Array): Hex {
  return `0x${toHexDigits(bytes)}`;
}

/** Bytes as hex without 0x. */
export const toDigits: (bytes: Uint8Array) => string = toHexDigits;

/**
 * Bytes from hex, with or without 0x.
 *
 * @throws `protocol/encoding` when it is not hex or has an odd number of digits.
 */
export function fromHex(text: string): Uint8Array {
  try {
    return fromHexDigits(text.startsWith('0x') ? text.slice(2) : text);
  } catch (cause) {
    throw fail('protocol/encoding', `not a hex string: "${text.slice(0, 80)}"`, { cause });
  }
}

/** The arrays one behind the other. */
export function concat(...parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** Whether two arrays hold the same bytes. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

/** Order of two arrays, byte by byte, the shorter first on a tie: negative, 0 or positive. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length && i < b.length; i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** An unsigned integer as `size` big-endian bytes. */
export function toBigEndian(value: bigint | number, size: number): Uint8Array {
  const big = BigInt(value);
  if (big < 0n || big >= 1n << BigInt(size * 8)) {
    throw fail('protocol/encoding', `${big} does not fit in ${size} bytes`);
  }
  return fromHexDigits(big.toString(16).padStart(size * 2, '0'));
}

/** A big-endian unsigned integer of any length; no bytes are 0. */
export function fromBigEndian(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHexDigits(bytes)}`);
}

/** An unsigned integer without leading zero bytes, as RLP wants it; 0 is no bytes. */
export function toMinimal(value: bigint | number): Uint8Array {
  const big = BigInt(value);
  if (big === 0n) return new Uint8Array();
  const digits = big.toString(16);
  return fromHexDigits(digits.length % 2 === 0 ? digits : `0${digits}`);
}

/**
 * The integer of {@link toMinimal}.
 *
 * @throws `protocol/encoding` on a leading zero byte or more than `maxSize` bytes.
 */
export function fromMinimal(bytes: Uint8Array, maxSize: number): bigint {
  if (bytes.length > maxSize) throw fail('protocol/encoding', `an integer has ${bytes.length} bytes, at most ${maxSize}`);
  if (bytes[0] === 0) throw fail('protocol/encoding', 'an integer has a leading zero byte');
  return fromBigEndian(bytes);
}
