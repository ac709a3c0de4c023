import { allocate } from '@hemid/store';

/** Rows in a few large arrays, each by a number, so that hundreds of thousands of them are nothing to the garbage collector. */
export interface RowSlab {
  /** Bytes of the arrays: those of rows that were dropped are taken again, by rows of about their size. */
  bytes(): number;
  /** Keeps a row of at most {@link MAX_ROW} bytes. */
  add(row: Uint8Array): number;
  /** Keeps another row in the place of one. */
  replace(place: number, row: Uint8Array): number;
  /** A copy of a row. */
  get(place: number): Uint8Array;
  drop(place: number): void;
  /** What the row at a place takes. */
  sizeAt(place: number): number;
  clear(): void;
}

/** Slots are so many bytes, or a multiple of them: an account takes three, a full branch of a trie seventeen. */
const UNIT = 32;
const SIZES = 17;
/** In a slot before the row: how long it is. */
const LENGTH_SIZE = 2;
const CHUNK = 64 << 10;
/** Of the number of a place: what is left for the size of its slot. */
const SIZE_BITS = 5;

/** The longest row that is kept. */
export const MAX_ROW = SIZES * UNIT - LENGTH_SIZE;

interface Slots {
  chunks: Uint8Array[];
  /** In each chunk. */
  each: number;
  /** Places that rows have left. */
  free: number[];
  /** Places that were given out at any time. */
  used: number;
}

/** Creates an empty {@link RowSlab}. */
export function createRowSlab(): RowSlab {
  const create = (): Slots[] =>
    Array.from({ length: SIZES + 1 }, (_, units) => ({ chunks: [], each: Math.floor(CHUNK / (units * UNIT)), free: [], used: 0 }));
  let sizes = create();
  let chunks = 0;

  const unitsOf = (row: Uint8Array): number => (row.length + LENGTH_SIZE + UNIT - 1) >> 5;
  const slotsOf = (place: number): Slots => sizes[place & (2 ** SIZE_BITS - 1)] as Slots;
  const chunkOf = (slots: Slots, place: number): Uint8Array => slots.chunks[Math.floor((place >> SIZE_BITS) / slots.each)] as Uint8Array;
  const offsetOf = (slots: Slots, place: number): number => ((place >> SIZE_BITS) % slots.each) * (place & (2 ** SIZE_BITS - 1)) * UNIT;

  function write(place: number, row: Uint8Array): number {
    const slots = slotsOf(place);
    const chunk = chunkOf(slots, place);
    const at = offsetOf(slots, place);
    chunk[at] = row.length & 0xff;
    chunk[at + 1] = row.length >> 8;
    chunk.set(row, at + LENGTH_SIZE);
    return place;
  }

  function add(row: Uint8Array): number {
    const units = unitsOf(row);
    const slots = sizes[units];
    if (slots === undefined || units === 0) throw new RangeError(`a row of ${row.length} bytes has no slot`);
    const left = slots.free.pop();
    if (left !== undefined) return write(left, row);
    if (slots.used === slots.chunks.length * slots.each) {
      slots.chunks.push(new Uint8Array(CHUNK));
      chunks += 1;
    }
    slots.used += 1;
    return write(((slots.used - 1) << SIZE_BITS) | units, row);
  }

  function drop(place: number): void {
    slotsOf(place).free.push(place);
  }

  return {
    bytes: () => chunks * CHUNK,
    add,
    replace(place, row) {
      if (unitsOf(row) === (place & (2 ** SIZE_BITS - 1))) return write(place, row);
      drop(place);
      return add(row);
    },
    get(place) {
      const slots = slotsOf(place);
      const chunk = chunkOf(slots, place);
      const at = offsetOf(slots, place);
      const row = allocate((chunk[at] as number) | ((chunk[at + 1] as number) << 8));
      row.set(chunk.subarray(at + LENGTH_SIZE, at + LENGTH_SIZE + row.length));
      return row;
    },
    drop,
    sizeAt: (place) => (place & (2 ** SIZE_BITS - 1)) * UNIT,
    clear() {
      sizes = create();
      chunks = 0;
    },
  };
}
