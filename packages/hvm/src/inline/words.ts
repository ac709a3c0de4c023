/* 256-bit words of the EVM as bigints, and the bytes they stand for. */

const SIGN = 1n << 255n;

/** The 16 bytes at an offset. */
function loadHalf(view: DataView, at: number): bigint {
  const high = view.getBigUint64(at);
  const low = view.getBigUint64(at + 8);
  return high === 0n ? low : (high << 64n) | low;
}

/** The 32 bytes at an offset. */
export function loadWord(view: DataView, at: number): bigint {
  const high = loadHalf(view, at);
  const low = loadHalf(view, at + 16);
  return high === 0n ? low : (high << 128n) | low;
}

/** Writes a word as 32 bytes. */
export function saveWord(view: DataView, at: number, word: bigint): void {
  const isSmall = word < 0x1_0000_0000_0000_0000n;
  view.setBigUint64(at, isSmall ? 0n : word >> 192n);
  view.setBigUint64(at + 8, isSmall ? 0n : word >> 128n);
  view.setBigUint64(at + 16, isSmall ? 0n : word >> 64n);
  view.setBigUint64(at + 24, word);
}

/** Where a word stands for a moment, while it is copied from here. */
const desk = Buffer.alloc(32);
const deskView = new DataView(desk.buffer, desk.byteOffset, 32);
const deskBytes = new Uint8Array(desk.buffer, desk.byteOffset, 32);

/** The word of up to 32 bytes. */
export function toWord(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n;
  if (bytes.length < 32) deskBytes.fill(0, 0, 32 - bytes.length);
  deskBytes.set(bytes, 32 - bytes.length);
  return loadWord(deskView, 0);
}

/** The word of an address, latin1. */
export function addressWord(address: string): bigint {
  deskBytes.fill(0, 0, 12);
  desk.write(address, 12, 'latin1');
  return loadWord(deskView, 0);
}

/** A word as 32 bytes. */
export function wordBytes(word: bigint): Uint8Array {
  saveWord(deskView, 0, word);
  return deskBytes.slice();
}

/** A word as 32 bytes, latin1. */
export function wordLatin(word: bigint): string {
  saveWord(deskView, 0, word);
  return desk.toString('latin1');
}

/** A word without leading zero bytes, as storage keeps it. */
export function minimalBytes(word: bigint): Uint8Array {
  saveWord(deskView, 0, word);
  let start = 0;
  while (start < 32 && deskBytes[start] === 0) start += 1;
  return deskBytes.slice(start);
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
