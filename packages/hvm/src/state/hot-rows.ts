import { equal } from '@hemid/protocol';
import { latin, type StateKey } from './key.ts';
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
const ROW_OVERHEAD = 128;

/** A value as it is kept: as text it takes its own bytes, as an array it would keep the piece that it was cut from. */
type Kept = string | undefined;

const keep = (value: Uint8Array | undefined): Kept => value && latin(value);

function give(kept: Kept): Uint8Array | undefined {
  if (kept === undefined) return undefined;
  const { buffer, byteOffset, length } = Buffer.from(kept, 'latin1');
  return new Uint8Array(buffer, byteOffset, length);
}

/** Creates the {@link HotRows} of a state store. */
export function createHotRows(maxBytes: number): HotRows {
  const rows = new Map<StateKey, Kept>();
  /** Goes on where it stopped: a new one would step over all that was deleted since the map last grew. */
  let oldest = rows.keys();
  let bytes = 0;
  let at = new Uint8Array() as Uint8Array;
  let pending: { to: Uint8Array; changed: StateDiff } | undefined;

  const sizeOf = (key: StateKey, value: Kept | Uint8Array): number => ROW_OVERHEAD + key.length + (value?.length ?? 0);

  function put(key: StateKey, value: Uint8Array | undefined): void {
    const old = rows.get(key);
    if (old !== undefined || rows.has(key)) bytes -= sizeOf(key, old);
    // A row that is here keeps its turn: moving it to the end costs more than reading it again when it has gone.
    rows.set(key, keep(value));
    bytes += sizeOf(key, value);
    while (bytes > maxBytes) dropOldest();
  }

  function dropOldest(): void {
    const next = oldest.next();
    if (next.done === true) {
      oldest = rows.keys();
      return;
    }
    bytes -= sizeOf(next.value, rows.get(next.value));
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
      const isRoom = equal(at, head) && bytes + sizeOf(key, value) <= maxBytes;
      if (isRoom) put(key, value);
      return isRoom;
    },
    settle(head) {
      if (equal(at, head)) return;
      if (pending !== undefined && equal(pending.to, head)) {
        for (const [key, value] of pending.changed) put(key, value);
      } else {
        rows.clear();
        bytes = 0;
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
