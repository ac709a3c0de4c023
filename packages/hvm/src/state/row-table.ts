import { allocate } from '@hemid/store';
import type { StateKey } from './key.ts';
import { createRowSlab, MAX_ROW, offsetOf, roomOf } from './row-slab.ts';

/** A row, `undefined` when it is known that there is none. */
type Row = Uint8Array | undefined;

/** Rows by key, up to a number of bytes; those that nobody asked for since the last turn leave first. */
export interface RowTable {
  /** What the rows take, with their keys and their part of the index, in bytes. */
  bytes(): number;
  /** A copy of a row; `null` when nothing is known of it. */
  get(key: StateKey): Row | null;
  put(key: StateKey, row: Row): void;
  clear(): void;
}

/*
 * In the slab stands, for each row: USED | length of the key u8 ‖ length of the row u16, little-endian ‖ key ‖ row.
 * The index is open addressing: of each slot the place in the slab, and beside it the hash of the key.
 */
const HEADER = 3;
const USED = 0x80;
const MAX_KEY = 0x7f;
const ABSENT = 0xffff;
const EMPTY = -1;
const INDEX_SLOTS = 1 << 12;
/** What a row takes in an index that is half full. */
const INDEX_BYTES = 16;
/** Of rows too long for the slab: each has an array, and a place in a Map. */
const LARGE_BYTES = 200;
/** Their part of all bytes, at most. */
const LARGE_PART = 0.25;
/** Bytes of the slab, as a part of all, before everything is dropped: room that rows of other sizes left. */
const MAX_UNUSED = 1.25;
/** Of the slab: room for two of its arrays. */
const LEAST_SLAB = 8 << 20;

/** FNV-1a over the characters, mixed so that its low bits tell apart what its high bits do. */
function hashOf(key: StateKey): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}

const emptyIndex = (slots: number): Int32Array => new Int32Array(slots * 2).fill(EMPTY);

/** Creates a {@link RowTable} that holds at most `maxBytes`. */
export function createRowTable(maxBytes: number): RowTable {
  const slab = createRowSlab();
  const large = new Map<StateKey, Uint8Array>();
  let largeBytes = 0;
  let index = emptyIndex(INDEX_SLOTS);
  let mask = INDEX_SLOTS - 1;
  let count = 0;
  let bytes = 0;
  /** Where the search for rows that may leave goes on. */
  let hand = 0;

  const keySize = (chunk: Uint8Array, at: number): number => (chunk[at] as number) & MAX_KEY;
  const rowSize = (chunk: Uint8Array, at: number): number => (chunk[at + 1] as number) | ((chunk[at + 2] as number) << 8);
  const sizeOf = (keyLength: number, row: Row): number => HEADER + keyLength + (row?.length ?? 0);

  function sizeAt(place: number): number {
    const [chunk, at] = [slab.chunk(place), offsetOf(place)];
    const size = rowSize(chunk, at);
    return HEADER + keySize(chunk, at) + (size === ABSENT ? 0 : size);
  }

  function isAt(place: number, key: StateKey): boolean {
    const chunk = slab.chunk(place);
    const at = offsetOf(place);
    if (keySize(chunk, at) !== key.length) return false;
    for (let i = 0; i < key.length; i += 1) if (chunk[at + HEADER + i] !== key.charCodeAt(i)) return false;
    return true;
  }

  const placeOf = (slot: number): number => index[slot * 2] as number;
  const slotHash = (slot: number): number => index[slot * 2 + 1] as number;

  function fill(slot: number, place: number, hash: number): void {
    index[slot * 2] = place;
    index[slot * 2 + 1] = hash;
  }

  /** The slot of a key, or the empty one where it would stand. */
  function slotOf(key: StateKey, hash: number): number {
    let slot = hash & mask;
    for (;;) {
      const place = placeOf(slot);
      if (place === EMPTY || (slotHash(slot) === hash && isAt(place, key))) return slot;
      slot = (slot + 1) & mask;
    }
  }

  /** @param mark {@link USED} or nothing. */
  function write(place: number, mark: number, key: StateKey, row: Row): void {
    const chunk = slab.chunk(place);
    const at = offsetOf(place);
    const size = row?.length ?? ABSENT;
    chunk[at] = mark | key.length;
    chunk[at + 1] = size & 0xff;
    chunk[at + 2] = size >> 8;
    for (let i = 0; i < key.length; i += 1) chunk[at + HEADER + i] = key.charCodeAt(i);
    if (row !== undefined) chunk.set(row, at + HEADER + key.length);
  }

  /** Empties a slot; those behind it that were pushed on move up, so that no search stops short of them. */
  function remove(slot: number): void {
    const place = placeOf(slot);
    const size = sizeAt(place);
    slab.drop(place, size);
    bytes -= roomOf(size) + INDEX_BYTES;
    count -= 1;
    let hole = slot;
    for (let next = (slot + 1) & mask; placeOf(next) !== EMPTY; next = (next + 1) & mask) {
      const home = slotHash(next) & mask;
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      fill(hole, placeOf(next), slotHash(next));
      hole = next;
    }
    index[hole * 2] = EMPTY;
  }

  function grow(): void {
    const old = index;
    mask = old.length - 1;
    index = emptyIndex(mask + 1);
    for (let i = 0; i < old.length; i += 2) {
      const place = old[i] as number;
      if (place === EMPTY) continue;
      const hash = old[i + 1] as number;
      let slot = hash & mask;
      while (placeOf(slot) !== EMPTY) slot = (slot + 1) & mask;
      fill(slot, place, hash);
    }
  }

  function insert(slot: number, hash: number, key: StateKey, row: Row): void {
    const size = sizeOf(key.length, row);
    const place = slab.take(size);
    write(place, 0, key, row);
    fill(slot, place, hash);
    bytes += roomOf(size) + INDEX_BYTES;
    count += 1;
    if (count * 2 > mask) grow();
  }

  /** Lets one row go: the next that nobody asked for since the hand last passed. */
  function leave(): void {
    for (;;) {
      const place = placeOf(hand);
      if (place !== EMPTY) {
        const chunk = slab.chunk(place);
        const at = offsetOf(place);
        if (((chunk[at] as number) & USED) === 0) {
          remove(hand);
          return;
        }
        chunk[at] = (chunk[at] as number) & MAX_KEY;
      }
      hand = (hand + 1) & mask;
    }
  }

  function dropLarge(key: StateKey): void {
    const row = large.get(key);
    if (row === undefined) return;
    large.delete(key);
    largeBytes -= row.length + LARGE_BYTES;
  }

  function putLarge(key: StateKey, row: Uint8Array): void {
    dropLarge(key);
    // A copy: the array may be a piece of a larger one, which would stay with it.
    large.set(key, row.slice());
    largeBytes += row.length + LARGE_BYTES;
    while (largeBytes > maxBytes * LARGE_PART) dropLarge(large.keys().next().value as StateKey);
  }

  function clear(): void {
    slab.clear();
    large.clear();
    index = emptyIndex(INDEX_SLOTS);
    mask = INDEX_SLOTS - 1;
    [count, bytes, largeBytes, hand] = [0, 0, 0, 0];
  }

  return {
    bytes: () => bytes + largeBytes,
    get(key) {
      const place = placeOf(slotOf(key, hashOf(key)));
      if (place === EMPTY) return large.get(key) ?? null;
      const chunk = slab.chunk(place);
      const at = offsetOf(place);
      chunk[at] = (chunk[at] as number) | USED;
      const size = rowSize(chunk, at);
      if (size === ABSENT) return undefined;
      const row = allocate(size);
      const from = at + HEADER + key.length;
      row.set(chunk.subarray(from, from + size));
      return row;
    },
    put(key, row) {
      const hash = hashOf(key);
      const slot = slotOf(key, hash);
      const place = placeOf(slot);
      const size = sizeOf(key.length, row);
      const isLarge = size > MAX_ROW || key.length > MAX_KEY;
      if (place !== EMPTY && !isLarge && roomOf(sizeAt(place)) === roomOf(size)) {
        write(place, USED, key, row);
        return;
      }
      if (place !== EMPTY) remove(slot);
      if (large.size > 0) dropLarge(key);
      if (!isLarge) insert(slotOf(key, hash), hash, key, row);
      else if (row !== undefined) putLarge(key, row);
      while (bytes + largeBytes > maxBytes && count > 0) leave();
      if (slab.bytes() > maxBytes * MAX_UNUSED + LEAST_SLAB) clear();
    },
    clear,
  };
}
