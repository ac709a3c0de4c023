import type { StateKey } from './key.ts';

/** The rows of one state. */
export interface StateSource {
  /** At the head it answers at once; further back it may have to look. */
  read(key: StateKey): Uint8Array | undefined | Promise<Uint8Array | undefined>;
}

/** A state that answers at once: blocks are executed on one. */
export interface BaseState extends StateSource {
  read(key: StateKey): Uint8Array | undefined;
  /** Keys that begin with a prefix, for accounts that lose all their storage. */
  keys(prefix: StateKey): AsyncIterable<StateKey>;
}

/** What a block changed: rows by key, `undefined` for one that is gone; none is empty. */
export type StateDiff = Map<StateKey, Uint8Array | undefined>;

/** What a block changed, and rows of its parent's state that were read for it: among them most that it changed. */
export interface StateChanges {
  diff: StateDiff;
  before?: ReadonlyMap<StateKey, Uint8Array | undefined> | undefined;
}
