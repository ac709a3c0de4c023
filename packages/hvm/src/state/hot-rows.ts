import { equal } from '@hemid/protocol';
import type { StateKey } from './key.ts';
import { createRowSlab, MAX_ROW } from './row-slab.ts';
import type { StateDiff } from './source.ts';

/**
 * Rows of the flat state at the head, in memory: those that came in last, up to a number of bytes. A move of the
 * head counts from when the store says that it is there; before, and if it never comes, the rows are those of before.
 */
export interface HotRows {
  /** Takes in a row at `head`, read beforehand. @returns whether there is room for more. */
  warm(head: Uint8Array, key: StateKey, value: Uint8Array): boolean;
  /** Takes in the moves up to the head of the store. */
  settle(head: Uint8Array): void;
  /** A row as it is at `head`; `load` asks the store. */
  read(head: Uint8Array, key: StateKey, load: () => Uint8Array | undefined): Uint8Array | undefined;
  /** A row as it is in the batch that has been moved to `from`, its own writes included. */
  readMoved(from: Uint8Array, key: StateKey, load: () => Uint8Array | undefined): Uint8Array | undefined;
  /** Notes that the batch at `from` moves on to `to`. */
  move(way: { from: Uint8Array; to: Uint8Array }, changed: StateDiff): void;
}

/** What a row takes besides its key and value. */
const ROW_OVERHEAD = 96;
/** Room of the slab that rows of other sizes left, as a part of all, before everything is dropped. */
const MAX_UNUSED = 1.25;

/** A value as it is kept: its place in the slab, or an array of its own when it is too long for that. */
type Kept = number | Uint8Array | undefined;

/** Creates the {@link HotRows} of a state store. */
export function createHotRows(maxBytes: number): HotRows {
  const rows = new Map<StateKey, Kept>();
  const slab = createRowSlab();
  const maxSlabBytes = maxBytes * MAX_UNUSED + (1 << 20);
  /** Goes on where it stopped: a new one would step over all that was deleted since the map last grew. */
  let oldest = rows.keys();
  let bytes = 0;
  let at = new Uint8Array() as Uint8Array;
  let pending: { to: Uint8Array; changed: StateDiff } | undefined;

  function sizeOf(key: StateKey, kept: Kept): number {
    const size = kept === undefined ? 0 : typeof kept === 'number' ? slab.sizeAt(kept) : kept.length;
    return ROW_OVERHEAD + key.length + size;
  }

  function keep(value: Uint8Array | undefined, old: Kept): Kept {
    if (value !== undefined && value.length <= MAX_ROW) return typeof old === 'number' ? slab.replace(old, value) : slab.add(value);
    if (typeof old === 'number') slab.drop(old);
    // A copy: the array may be a piece of a larger one, which would stay with it.
    return value?.slice();
  }

  const give = (kept: Kept): Uint8Array | undefined => (typeof kept === 'number' ? slab.get(kept) : kept);

  function clear(): void {
    rows.clear();
    slab.clear();
    oldest = rows.keys();
    bytes = 0;
  }

  function put(key: StateKey, value: Uint8Array | undefined): void {
    const old = rows.get(key);
    if (old !== undefined || rows.has(key)) bytes -= sizeOf(key, old);
    const kept = keep(value, old);
    // A row that is here keeps its turn: moving it to the end costs more than reading it again when it has gone.
    if (kept === undefined || kept !== old) rows.set(key, kept);
    bytes += sizeOf(key, kept);
    while (bytes > maxBytes) dropOldest();
    if (slab.bytes() > maxSlabBytes) clear();
  }

  function dropOldest(): void {
    const next = oldest.next();
    if (next.done === true) {
      oldest = rows.keys();
      return;
    }
    const kept = rows.get(next.value);
    bytes -= sizeOf(next.value, kept);
    if (typeof kept === 'number') slab.drop(kept);
    rows.delete(next.value);
  }

  function fetch(key: StateKey, load: () => Uint8Array | undefined): Uint8Array | undefined {
    const known = rows.get(key);
    if (known !== undefined || rows.has(key)) return give(known);
    const value = load();
    put(key, value);
    return value;
  }

  return {
    warm(head, key, value) {
      const isRoom = equal(at, head) && bytes + ROW_OVERHEAD + key.length + MAX_ROW <= maxBytes;
      if (isRoom) put(key, value);
      return isRoom;
    },
    settle(head) {
      if (equal(at, head)) return;
      if (pending !== undefined && equal(pending.to, head)) {
        for (const [key, value] of pending.changed) put(key, value);
      } else {
        clear();
      }
      at = head;
      pending = undefined;
    },
    read: (head, key, load) => (equal(at, head) ? fetch(key, load) : load()),
    readMoved(from, key, load) {
      if (equal(at, from)) return fetch(key, load);
      if (pending === undefined || !equal(pending.to, from)) return load();
      return pending.changed.has(key) ? pending.changed.get(key) : fetch(key, load);
    },
    move({ from, to }, changed) {
      if (equal(at, from)) {
        pending = { to, changed };
      } else if (pending !== undefined && equal(pending.to, from)) {
        const merged = new Map(pending.changed);
        for (const [key, value] of changed) merged.set(key, value);
        pending = { to, changed: merged };
      } else {
        pending = undefined;
      }
    },
  };
}
