import { equal, toHex } from '@hemid/protocol';
import { type Batch, layout, type Reader, type Route, type StateHistoryKey, type Steps, type Store, take } from '@hemid/store';
import { fail } from '../errors.ts';
import { decodeDiff, decodeKeys, encodeDiff, encodeKeys } from './diff-codec.ts';
import { createPacker, isPartial, unpackBefore } from './history-row.ts';
import { createHotRows } from './hot-rows.ts';
import { fromLatin, nodePrefix, type StateKey } from './key.ts';
import type { BaseState, StateChanges, StateDiff, StateSource } from './source.ts';
import { isLeafName } from './trie-codec.ts';

/** A block of the L2 chain, as the state knows it. */
export interface StateBlock {
  hash: Uint8Array;
  number: bigint;
}

export interface StateStoreDeps {
  store: Store;
  /** The way between two known blocks. */
  route(from: Uint8Array, to: Uint8Array): Route;
  block(hash: Uint8Array): StateBlock;
  parent(hash: Uint8Array): Uint8Array;
}

/**
 * The states of the chain: flat rows at the head, and for the last blocks what each one changed, so that a state
 * further back, or on another branch, can be read too.
 */
export interface StateStore {
  /** Reads rows at the head into memory, as many as are kept there, before they are asked for. Nothing may move meanwhile. */
  warm(): Promise<void>;
  /**
   * Writes the genesis state: its rows at once, in batches of their own, its position with `batch`. Without that
   * position they count for nothing, and are written again.
   */
  init(genesis: StateBlock, diff: StateDiff, batch: Batch): Promise<void>;
  /** The state after a block, to execute on. @throws `hvm/state-missing` when it lies further back than is kept. */
  base(hash: Uint8Array): BaseState;
  /** The state after a block, to read. @throws `hvm/state-pruned` when it lies further back than is kept. */
  source(hash: Uint8Array): StateSource;
  /** Holds a new block's changes until it is applied or {@link StateStore.keep | kept}. */
  stage(hash: Uint8Array, changes: StateChanges): void;
  /** Writes the staged changes of a block that did not become canonical. */
  keep(hash: Uint8Array, batch: Batch): void;
  /** Moves the flat state over a block whose changes are staged or kept. */
  apply(block: StateBlock, batch: Batch): void;
  /** The same in steps, all of which must be taken. */
  applyInSteps(block: StateBlock, batch: Batch): Steps;
  /** Takes a block back. */
  revert(block: StateBlock, batch: Batch): void;
}

const POSITION = 'state';

/** Rows of the genesis state that are written together. */
const GENESIS_PART = 50_000;
/** Rows that are moved between two turns of others. */
const ROWS_A_STEP = 512;
/** Memory for rows of the head, unless told otherwise. */
const HOT_BYTES = 256 << 20;

export interface StateStoreOptions {
  /** How many blocks below the head stay readable; `undefined`: all. */
  window: number | undefined;
  /** Bytes of rows at the head that are kept in memory. */
  hotBytes?: number | undefined;
}

/** Opens the states of a store. */
export function createStateStore(deps: StateStoreDeps, options: StateStoreOptions): StateStore {
  const { store } = deps;
  const hot = createHotRows(options.hotBytes ?? HOT_BYTES);
  const staged = new Map<string, StateChanges>();

  /** The position, and the generation of the store that it was read at. */
  let known: { block: StateBlock; generation: number | undefined } | undefined;

  function position(): StateBlock {
    const generation = store.generation();
    if (known !== undefined && generation !== undefined && known.generation === generation) return known.block;
    const row = store.get(layout.position, POSITION);
    if (row === undefined) throw fail('hvm/state-missing', 'the state has no position: the data directory is not complete');
    hot.settle(row.hash);
    known = { block: { hash: row.hash, number: BigInt(row.height) }, generation };
    return known.block;
  }

  /** The block that the state of a batch stands at. */
  function positionIn(batch: Batch): Uint8Array {
    position();
    return batch.get(layout.position, POSITION)?.hash ?? new Uint8Array();
  }

  function setPosition(block: StateBlock, batch: Batch): void {
    batch.put(layout.position, POSITION, { hash: block.hash, height: Number(block.number) });
  }

  function undoKeys(number: bigint, reader: Reader): StateKey[] {
    const row = reader.get(layout.stateUndo, number);
    if (row !== undefined) return decodeKeys(row);
    throw fail(
      'hvm/state-pruned',
      `the state before block ${number} is not kept any more: this node keeps the last ${options.window ?? 'all'} blocks (--archive keeps all)`,
    );
  }

  /** A row before a block; `after` says what the block left. */
  function rowBefore(at: StateHistoryKey, reader: Reader, after: () => Uint8Array | undefined): Uint8Array | undefined {
    const row = reader.get(layout.stateHistory, at);
    if (row === undefined) throw fail('hvm/state-missing', `the history of block ${at.block} is not complete`);
    return unpackBefore(at.key, row, after);
  }

  function changesOf(hash: Uint8Array, reader: Reader): StateChanges {
    const fresh = staged.get(toHex(hash));
    if (fresh !== undefined) return fresh;
    const row = reader.get(layout.stateDiff, hash);
    if (row === undefined) throw fail('hvm/state-missing', `the changes of block ${toHex(hash)} are not in the store`);
    return { diff: decodeDiff(row) };
  }

  async function* keysAt(prefix: StateKey, overlay: StateDiff | undefined): AsyncIterable<StateKey> {
    for await (const [key] of store.range(layout.state, { prefix: fromLatin(prefix) })) {
      if (overlay?.has(key) !== true) yield key;
    }
    for (const [key, value] of overlay ?? []) if (value !== undefined && key.startsWith(prefix)) yield key;
  }

  function withOverlay(head: Uint8Array, overlay: StateDiff | undefined): BaseState {
    const read = (key: StateKey): Uint8Array | undefined => hot.read(head, key, () => store.get(layout.state, key));
    return {
      read: overlay === undefined ? read : (key) => (overlay.has(key) ? overlay.get(key) : read(key)),
      keys: (prefix) => keysAt(prefix, overlay),
    };
  }

  /** What differs between the flat state and the state after `hash`. */
  function overlayFor(hash: Uint8Array): StateDiff | undefined {
    const head = position();
    if (equal(head.hash, hash)) return undefined;
    const { removed, added } = deps.route(head.hash, hash);
    const overlay: StateDiff = new Map();
    for (const one of removed) {
      const { number } = deps.block(one);
      for (const key of undoKeys(number, store)) {
        const after = (): Uint8Array | undefined => (overlay.has(key) ? overlay.get(key) : store.get(layout.state, key));
        overlay.set(key, rowBefore({ key, block: number }, store, after));
      }
    }
    for (const one of added) for (const [key, value] of changesOf(one, store).diff) overlay.set(key, value);
    return overlay;
  }

  /** What the changes of a row after a block say of it: up to the first that says all. */
  async function laterChanges(key: StateKey, { number }: StateBlock): Promise<Uint8Array[]> {
    const rows: Uint8Array[] = [];
    const from = layout.stateHistory.key.encode({ key, block: number + 1n });
    for await (const [, row] of store.range(layout.stateHistory, { prefix: fromLatin(key), from })) {
      rows.push(row);
      if (!isPartial(key, row)) break;
    }
    return rows;
  }

  /** The state after a canonical block below the head: the first later change of a row says what it was, or what of it differs from the next. */
  function historical(block: StateBlock): StateSource {
    return {
      async read(key) {
        for (;;) {
          const head = position();
          const changes = await laterChanges(key, block);
          const last = changes.at(-1);
          const reachesHead = last === undefined || isPartial(key, last);
          let value = reachesHead ? store.get(layout.state, key) : undefined;
          if (reachesHead && !equal(position().hash, head.hash)) continue;
          for (const row of changes.reverse()) {
            const after = value;
            value = unpackBefore(key, row, () => after);
          }
          return value;
        }
      },
    };
  }

  function prune(block: StateBlock, batch: Batch): void {
    if (options.window === undefined) return;
    const number = block.number - BigInt(options.window);
    const row = number > 0n ? batch.get(layout.stateUndo, number) : undefined;
    if (row === undefined) return;
    for (const key of decodeKeys(row)) batch.del(layout.stateHistory, { key, block: number });
    batch.del(layout.stateUndo, number);
  }

  function* applyInSteps(block: StateBlock, batch: Batch): Generator<void> {
    const { diff, before } = changesOf(block.hash, batch);
    const from = positionIn(batch);
    const pack = createPacker(block.number);
    let done = 0;
    for (const [key, value] of diff) {
      done += 1;
      if (done % ROWS_A_STEP === 0) yield;
      let old = before?.get(key);
      if (old === undefined && before?.has(key) !== true) old = hot.readMoved(from, key, () => batch.get(layout.state, key));
      batch.put(layout.stateHistory, { key, block: block.number }, pack(key, { before: old, after: value }));
      if (value === undefined) batch.del(layout.state, key);
      else if (value.length > 0) batch.put(layout.state, key, value);
      else throw new RangeError(`the row ${JSON.stringify(key)} of the state is empty: a row that is gone is undefined`);
    }
    batch.put(layout.stateUndo, block.number, encodeKeys(diff.keys()));
    if (!staged.delete(toHex(block.hash))) batch.del(layout.stateDiff, block.hash);
    hot.move({ from, to: block.hash }, diff);
    setPosition(block, batch);
    prune(block, batch);
  }

  return {
    async warm() {
      const head = position();
      // The upper nodes of the account trie first, which every block needs: their keys sort by depth. Leaves are hardly ever read.
      for (const prefix of [nodePrefix(''), '']) {
        for await (const [key, value] of store.range(layout.state, { prefix: fromLatin(prefix) })) {
          if (!isLeafName(value) && !hot.warm(head.hash, key, value)) return;
        }
      }
    },
    async init(genesis, diff, batch) {
      // In order, and in parts: LevelDB then has nothing to merge.
      const keys = [...diff.keys()].sort();
      for (let from = 0; from < keys.length; from += GENESIS_PART) {
        const part = store.batch();
        for (const key of keys.slice(from, from + GENESIS_PART)) {
          const value = diff.get(key);
          if (value !== undefined) part.put(layout.state, key, value);
        }
        await part.commit();
      }
      setPosition(genesis, batch);
    },
    base(hash) {
      const overlay = overlayFor(hash);
      return withOverlay(position().hash, overlay);
    },
    source(hash) {
      const head = position();
      if (equal(head.hash, hash)) return withOverlay(head.hash, undefined);
      const { removed, added } = deps.route(head.hash, hash);
      if (added.length > 0) return withOverlay(head.hash, overlayFor(hash));
      const block = deps.block(hash);
      const lowest = block.number + 1n;
      if (removed.length > 0 && store.get(layout.stateUndo, lowest) === undefined) undoKeys(lowest, store);
      return historical(block);
    },
    stage: (hash, { diff, before }) => void staged.set(toHex(hash), { diff, before }),
    keep(hash, batch) {
      const changes = staged.get(toHex(hash));
      if (changes === undefined) return;
      batch.put(layout.stateDiff, hash, encodeDiff(changes.diff));
      staged.delete(toHex(hash));
    },
    apply: (block, batch) => take(applyInSteps(block, batch)),
    applyInSteps,
    revert(block, batch) {
      const diff: StateDiff = new Map();
      const restored: StateDiff = new Map();
      const from = positionIn(batch);
      for (const key of undoKeys(block.number, batch)) {
        const after = batch.get(layout.state, key);
        diff.set(key, after);
        const old = rowBefore({ key, block: block.number }, batch, () => after);
        restored.set(key, old);
        if (old === undefined) batch.del(layout.state, key);
        else batch.put(layout.state, key, old);
        batch.del(layout.stateHistory, { key, block: block.number });
      }
      batch.del(layout.stateUndo, block.number);
      batch.put(layout.stateDiff, block.hash, encodeDiff(diff));
      const parent = deps.parent(block.hash);
      hot.move({ from, to: parent }, restored);
      setPosition(deps.block(parent), batch);
    },
  };
}
