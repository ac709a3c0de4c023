/* 256-bit words of the EVM as bigints, and the bytes they stand for. */

const SIGN = 1n << 255n;

/** The 32 bytes at an offset. */
export function loadWord(view: DataView, at: number): bigint {
  const high = (view.getBigUint64(at) << 64n) | view.getBigUint64(at + 8);
  const low = (view.getBigUint64(at + 16) << 64n) | view.getBigUint64(at + 24);
  return high === 0n ? low : (high << 128n) | low;
}

/** Writes a word as 32 bytes. */
export function saveWord(view: DataView, at: number, word: bigint): void {
  view.setBigUint64(at, word >> 192n);
  view.setBigUint64(at + 8, word >> 128n);
  view.setBigUint64(at + 16, word >> 64n);
  view.setBigUint64(at + 24, word);
}

/** The word of up to 32 bytes. */
export function toWord(bytes: Uint8Array): bigint {
  if (bytes.length === 32) return loadWord(new DataView(bytes.buffer, bytes.byteOffset, 32), 0);
  return bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')}`);
}

/** Where a word stands for a moment, while it is copied from here. */
const desk = Buffer.alloc(32);
const deskView = new DataView(desk.buffer, desk.byteOffset, 32);

/** A word as 32 bytes. */
export function wordBytes(word: bigint): Uint8Array {
  saveWord(deskView, 0, word);
  return new Uint8Array(desk);
}

/** A word as 32 bytes, latin1. */
export function wordLatin(word: bigint): string {
  saveWord(deskView, 0, word);
  return desk.toString('latin1');
}

/** A word without leading zero bytes, as storage keeps it. */
export function minimalBytes(word: bigint): Uint8Array {
  if (word === 0n) return new Uint8Array();
  const text = word.toString(16);
  return new Uint8Array(Buffer.from(text.length % 2 === 0 ? text : `0${text}`, 'hex'));
}

/** The address in the low 20 bytes of a word, latin1. */
export function addressLatin(word: bigint): string {
  saveWord(deskView, 0, word);
  return desk.toString('latin1', 12);
}

/** A word read as two's complement. */
export const signed = (word: bigint): bigint => (word >= SIGN ? word - (SIGN << 1n) : word);

/** A number of any size and sign as a word. */
export const wrapped = (value: bigint): bigint => BigInt.asUintN(256, value);

/** `base` to the power of `exponent`, as a word. */
export function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = wrapped(result * square);
    square = wrapped(square * square);
  }
  return result;
}

/** Bytes that a word takes without leading zeros. */
export const byteLength = (word: bigint): number => (word === 0n ? 0 : (word.toString(16).length + 1) >> 1);

/** SIGNEXTEND: `word` with the sign of its byte `index`, counted from the low end. */
export function extendSign(index: bigint, word: bigint): bigint {
  return index >= 31n ? word : wrapped(BigInt.asIntN(Number(index) * 8 + 8, word));
}

/** BYTE: the byte `index` of a word, counted from the high end. */
export const byteAt = (index: bigint, word: bigint): bigint => (index >= 32n ? 0n : (word >> (248n - index * 8n)) & 0xffn);

/** SAR: an arithmetic shift to the right. */
export const shiftSigned = (shift: bigint, word: bigint): bigint => wrapped(signed(word) >> (shift >= 256n ? 256n : shift));

/** CLZ: leading zero bits (EIP-7939). */
export const leadingZeros = (word: bigint): bigint => (word === 0n ? 256n : BigInt(256 - word.toString(2).length));
