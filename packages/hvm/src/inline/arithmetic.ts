import { byteAt, extendSign, shiftSigned, signed, wrapped } from './words.ts';

/** The opcodes with two operands that are plain arithmetic; `a` is the top of the stack. */
export function combine(opcode: number, a: bigint, b: bigint): bigint {
  switch (opcode) {
    case 0x01:
      return wrapped(a + b);
    case 0x02:
      return wrapped(a * b);
    case 0x03:
      return wrapped(a - b);
    case 0x04:
      return b === 0n ? 0n : a / b;
    case 0x05:
      return b === 0n ? 0n : wrapped(signed(a) / signed(b));
    case 0x06:
      return b === 0n ? 0n : a % b;
    case 0x07:
      return b === 0n ? 0n : wrapped(signed(a) % signed(b));
    case 0x0b:
      return extendSign(a, b);
    case 0x10:
      return a < b ? 1n : 0n;
    case 0x11:
      return a > b ? 1n : 0n;
    case 0x12:
      return signed(a) < signed(b) ? 1n : 0n;
    case 0x13:
      return signed(a) > signed(b) ? 1n : 0n;
    case 0x14:
      return a === b ? 1n : 0n;
    case 0x16:
      return a & b;
    case 0x17:
      return a | b;
    case 0x18:
      return a ^ b;
    case 0x1a:
      return byteAt(a, b);
    case 0x1b:
      return a >= 256n ? 0n : wrapped(b << a);
    case 0x1c:
      return a >= 256n ? 0n : b >> a;
    default:
      return shiftSigned(a, b);
  }
}
