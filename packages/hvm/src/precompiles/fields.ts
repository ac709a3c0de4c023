import { concat, toBigEndian } from '@hemid/protocol';

const MAX_U16 = 0xffff;

/** An unsigned 16-bit number of an input. */
export function readU16(input: Uint8Array, offset: number): number {
  return new DataView(input.buffer, input.byteOffset, input.length).getUint16(offset);
}

/** A count, length or index as u16; what does not fit is 65535. */
export function encodeClamped(value: number): Uint8Array {
  return toBigEndian(Math.min(value, MAX_U16), 2);
}

/** full length u16 (clamped) ‖ the bytes, cut to `max`. */
export function encodeCut(bytes: Uint8Array, max: number): Uint8Array {
  return concat(encodeClamped(bytes.length), bytes.subarray(0, max));
}
