/** Room for rows in a few large arrays, so that millions of them are nothing to the garbage collector. */
export interface RowSlab {
  /** Bytes of the arrays: room that was given back is taken again, by rows of about its size. */
  bytes(): number;
  /** Room for a row of 1 to {@link MAX_ROW} bytes: its place. */
  take(size: number): number;
  /** Gives back room of this size. */
  drop(place: number, size: number): void;
  /** The array that a place lies in, at {@link offsetOf}. */
  chunk(place: number): Uint8Array;
  clear(): void;
}

/** Room is so many bytes, or a multiple of them: an account takes three, a full branch of a trie eighteen. */
const UNIT_BITS = 5;
const UNIT = 1 << UNIT_BITS;
const SIZES = 20;
/** Of 4 MiB: glibc asks for huge pages for an array that is larger than one of them, if it is told to (scripts/run.sh). */
const CHUNK_BITS = 22;
const CHUNK = 1 << CHUNK_BITS;
/** Places count units: so many of their bits say where in a chunk. */
const PLACE_BITS = CHUNK_BITS - UNIT_BITS;

/** The longest row that has room. */
export const MAX_ROW = SIZES * UNIT;

const unitsOf = (size: number): number => (size + UNIT - 1) >> UNIT_BITS;

/** What a row of a size takes, in bytes. */
export const roomOf = (size: number): number => unitsOf(size) << UNIT_BITS;

/** Where in its array a place begins. */
export const offsetOf = (place: number): number => (place & ((1 << PLACE_BITS) - 1)) << UNIT_BITS;

/** Creates an empty {@link RowSlab}. */
export function createRowSlab(): RowSlab {
  let chunks: Uint8Array[] = [];
  /** Bytes of the last array that are given out. */
  let used = CHUNK;
  /** Places that were given back, by their units. */
  let free: number[][] = Array.from({ length: SIZES + 1 }, () => []);

  return {
    bytes: () => chunks.length * CHUNK,
    take(size) {
      const units = unitsOf(size);
      const places = free[units];
      if (places === undefined || units === 0) throw new RangeError(`a row of ${size} bytes has no room in a slab: 1 to ${MAX_ROW} have`);
      const left = places.pop();
      if (left !== undefined) return left;
      if (used + units * UNIT > CHUNK) {
        chunks.push(new Uint8Array(CHUNK));
        used = 0;
      }
      const place = ((chunks.length - 1) << PLACE_BITS) | (used >> UNIT_BITS);
      used += units * UNIT;
      return place;
    },
    drop(place, size) {
      (free[unitsOf(size)] as number[]).push(place);
    },
    chunk: (place) => chunks[place >>> PLACE_BITS] as Uint8Array,
    clear() {
      chunks = [];
      used = CHUNK;
      free = Array.from({ length: SIZES + 1 }, () => []);
    },
  };
}
