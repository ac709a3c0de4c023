import { equal } from '@hemid/protocol';
import type { StateKey } from './key.ts';
import { createRowTable } from './row-table.ts';
import type { StateDiff } from './source.ts';

/**
 * Rows of the flat state at the head, in memory, up to a number of bytes. A move of the
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

/** More than a row takes besides its value. */
const ROOM = 512;

/** Creates the {@link HotRows} of a state store. */
export function createHotRows(maxBytes: number): HotRows {
  const rows = createRowTable(maxBytes);
  let at = new Uint8Array() as Uint8Array;
  let pending: { to: Uint8Array; changed: StateDiff } | undefined;

  function fetch(key: StateKey, load: () => Uint8Array | undefined): Uint8Array | undefined {
    const known = rows.get(key);
    if (known !== null) return known;
    const value = load();
    rows.put(key, value);
    return value;
  }

  return {
    warm(head, key, value) {
      const isRoom = equal(at, head) && rows.bytes() + value.length + ROOM <= maxBytes;
      if (isRoom) rows.put(key, value);
      return isRoom;
    },
    settle(head) {
      if (equal(at, head)) return;
      if (pending !== undefined && equal(pending.to, head)) {
        for (const [key, value] of pending.changed) rows.put(key, value);
      } else {
        rows.clear();
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
