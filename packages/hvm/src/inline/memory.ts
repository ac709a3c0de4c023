/** The memory of a frame: zero everywhere until it is written. */
export interface Memory {
  bytes: Uint8Array;
  view: DataView;
  /** Words that are paid for. */
  words: number;
}

/** Sizes and offsets beyond this cost more gas than there is. */
const MAX = 2 ** 32;
const FIRST = 4096;
const LARGE = 1 << 18;

const costOf = (words: number): number => 3 * words + Math.floor((words * words) / 512);
const wordsTo = (offset: number, size: number): number => Math.ceil((offset + size) / 32);

/** Memory of which nothing is paid for. */
export function createMemory(): Memory {
  const bytes = new Uint8Array(FIRST);
  return { bytes, view: new DataView(bytes.buffer), words: 0 };
}

/** Gas for a range to be there that is not empty; Infinity when nobody could pay. */
export function memoryGas(memory: Memory, offset: number, size: number): number {
  if (offset > MAX || size > MAX) return Number.POSITIVE_INFINITY;
  const words = wordsTo(offset, size);
  return words <= memory.words ? 0 : costOf(words) - costOf(memory.words);
}

/** Makes a range that has been paid for, and is not empty. */
export function growMemory(memory: Memory, offset: number, size: number): void {
  const words = wordsTo(offset, size);
  if (words <= memory.words) return;
  memory.words = words;
  if (words * 32 <= memory.bytes.length) return;
  const larger = new Uint8Array(Math.max(words * 32, memory.bytes.length * 2));
  larger.set(memory.bytes);
  memory.bytes = larger;
  memory.view = new DataView(larger.buffer);
}

/** Copies bytes from an offset of `source` on to a range that is there; zeros where the source ends. */
export function copyToMemory({ bytes }: Memory, at: number, source: Uint8Array, range: { from: number; size: number }): void {
  const { from, size } = range;
  const part = from >= source.length ? undefined : source.subarray(from, from + size);
  if (part !== undefined) bytes.set(part, at);
  bytes.fill(0, at + (part?.length ?? 0), at + size);
}

/** A copy of a range that is there. */
export function sliceMemory({ bytes }: Memory, offset: number, size: number): Uint8Array {
  return size === 0 ? new Uint8Array() : bytes.slice(offset, offset + size);
}

/** Makes it as new, for another frame; what grew large is given back. */
export function clearMemory(memory: Memory): void {
  if (memory.bytes.length > LARGE) Object.assign(memory, createMemory());
  else memory.bytes.fill(0, 0, memory.words * 32);
  memory.words = 0;
}
