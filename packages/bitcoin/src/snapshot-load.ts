import { createHash, type Hash } from 'node:crypto';
import { type BitcoinNetwork, type BitcoinTip, equal, toDigits, toDisplay } from '@hemid/protocol';
import type { Clock, Logger } from '@hemid/runtime';
import { layout, type Store, type Table, type UnspentSetRow } from '@hemid/store';
import { addUnspent, bitcoinIndex } from './bitcoin-index.ts';
import { fail } from './errors.ts';
import { type CoinGroup, damaged, serializeCoin } from './snapshot-coin.ts';
import { messageStart, openSnapshot, SNAPSHOT_HEAD_SIZE, type SnapshotChunk, type SnapshotFile } from './snapshot-file.ts';

/** The unspent set that a chain spec names. */
export interface UnspentSet {
  network: BitcoinNetwork;
  /** Challenge script of a signet of its own. */
  signetChallenge?: Uint8Array;
  /** The hVM genesis. */
  genesis: BitcoinTip;
  /** Its `hash_serialized_3`, internal order. */
  hashSerialized: Uint8Array;
}

export interface LoadUnspentSetDeps {
  store: Store;
  clock: Clock;
  log: Logger;
}

const LOADING = 'loading';
const COMPLETE = 'complete';
const LOG_MS = 5_000;
const DELETES = 20_000;

/** Whether the set is here, as a whole. */
export function hasUnspentSet(store: Store, hashSerialized: Uint8Array): boolean {
  const row = store.get(layout.unspentSet, COMPLETE);
  return row !== undefined && equal(row.hashSerialized, hashSerialized);
}

/** @throws `bitcoin/unspent-missing` (fatal) unless the set is here, as a whole. */
export function assertUnspentSet(store: Store, hashSerialized: Uint8Array): void {
  if (hasUnspentSet(store, hashSerialized)) return;
  throw fail(
    'bitcoin/unspent-missing',
    `the chain spec names an unspent set (hash_serialized_3 ${toDisplay(hashSerialized)}) that is not loaded yet: give --unspent-set the file that bitcoind's dumptxoutset wrote`,
  );
}

/** A log line now and then: how far, how fast, how long still. */
function createProgress(what: string, size: number, { clock, log }: LoadUnspentSetDeps): (offset: number, coins: bigint) => void {
  const startMs = clock.now();
  let first: { offset: number; coins: bigint } | undefined;
  let lastMs = startMs;
  return (offset, coins) => {
    first ??= { offset, coins };
    const now = clock.now();
    if (now - lastMs < LOG_MS) return;
    lastMs = now;
    const seconds = (now - startMs) / 1000;
    const coinsPerSecond = Math.round(Number(coins - first.coins) / seconds);
    const secondsLeft = Math.round(((size - offset) / Math.max(1, offset - first.offset)) * seconds);
    log.info({ coins: Number(coins), coinsPerSecond, secondsLeft }, `${what} the unspent set`);
  };
}

/** Adds the coins of a chunk to a running hash. @returns how many. */
function hashGroups(groups: readonly CoinGroup[], hash: Hash): number {
  const parts = groups.flatMap(({ txid, coins }) => coins.map((coin) => serializeCoin(txid, coin)));
  hash.update(Buffer.concat(parts));
  return parts.length;
}

/** A fixed point of the running hash: a copy, and its value there. */
interface Checkpoint {
  hash: Hash;
  prefix: Uint8Array;
}

/**
 * Reads the whole file and checks everything that can be checked. @returns the running hash at `offset`, if the file
 * has a boundary there. Nothing is written before this has passed.
 */
async function checkFile(file: SnapshotFile, set: UnspentSet, options: { deps: LoadUnspentSetDeps; offset: number; signal?: AbortSignal }) {
  const { head } = file;
  if (!equal(head.magic, messageStart(set.network, set.signetChallenge))) {
    throw fail('bitcoin/unspent-file', `the file of the unspent set is of another network than ${set.network} (${toDigits(head.magic)})`);
  }
  if (!equal(head.baseHash, set.genesis.hash)) {
    const wanted = `${toDisplay(set.genesis.hash)} (height ${set.genesis.height})`;
    throw fail('bitcoin/unspent-file', `the file of the unspent set is for block ${toDisplay(head.baseHash)}, not for the hVM genesis ${wanted}`);
  }
  const progress = createProgress('checking', file.size, options.deps);
  const hash = createHash('sha256');
  let checkpoint: Checkpoint | undefined;
  let coins = 0n;
  let last: Uint8Array | undefined;
  for await (const { groups, next } of file.chunks(SNAPSHOT_HEAD_SIZE)) {
    options.signal?.throwIfAborted();
    for (const { txid, coins: outputs } of groups) {
      if (last !== undefined && Buffer.compare(last, txid) >= 0) throw damaged('its transactions are not in order');
      last = txid;
      if (outputs.some(({ height }) => height > set.genesis.height)) throw damaged('an output is younger than the block it is for');
    }
    coins += BigInt(hashGroups(groups, hash));
    if (next === options.offset) checkpoint = { hash: hash.copy(), prefix: new Uint8Array(hash.copy().digest()) };
    progress(next, coins);
  }
  if (coins !== head.coins) throw damaged(`it holds ${coins} outputs and announces ${head.coins}`);
  checkHash(hash, set);
  return checkpoint;
}

function checkHash(hash: Hash, { hashSerialized }: UnspentSet): void {
  const found = new Uint8Array(createHash('sha256').update(hash.copy().digest()).digest());
  if (equal(found, hashSerialized)) return;
  throw fail(
    'bitcoin/unspent-file',
    `the file of the unspent set has hash_serialized_3 ${toDisplay(found)}, and the chain spec wants ${toDisplay(hashSerialized)}`,
  );
}

/** Deletes what an earlier attempt with another file left. */
async function clear(store: Store, set: UnspentSet): Promise<UnspentSetRow> {
  const start = { hashSerialized: set.hashSerialized, offset: 0n, coins: 0n, prefix: new Uint8Array(32) };
  const first = store.batch();
  first.put(layout.unspentSet, LOADING, start);
  await first.commit();
  for (const table of [layout.output, layout.script, layout.pastScript, layout.scriptNode] as unknown as Table<unknown, unknown>[]) {
    let batch = store.batch();
    let deletes = 0;
    for await (const [key] of store.range(table)) {
      batch.del(table, key);
      deletes += 1;
      if (deletes % DELETES !== 0) continue;
      await batch.commit();
      batch = store.batch();
    }
    await batch.commit();
  }
  return { ...start, offset: BigInt(SNAPSHOT_HEAD_SIZE), prefix: new Uint8Array(createHash('sha256').digest()) };
}

/** Writes a chunk and how far it reaches, in one batch: a coin cannot enter its script's tree twice. */
async function writeChunk(store: Store, { groups, next }: SnapshotChunk, at: { before: UnspentSetRow; height: number; hash: Hash }) {
  const coins = at.before.coins + BigInt(hashGroups(groups, at.hash));
  const row = { ...at.before, offset: BigInt(next), coins, prefix: new Uint8Array(at.hash.copy().digest()) };
  const batch = store.batch();
  const outputs = groups.flatMap(({ txid, coins: made }) =>
    made.map(({ vout, height, valueSats, script }) => ({ txid, vout, valueSats, script, madeAt: height })),
  );
  addUnspent(batch, at.height, outputs);
  batch.put(layout.unspentSet, LOADING, row);
  await batch.commit();
  return row;
}

/**
 * Loads the unspent set at the hVM genesis from a `dumptxoutset` file into the index's rows (protocol 4.4), once: it
 * returns at once when the set is here. The file is read through and its hash compared with the chain spec's before
 * the first row is written, and hashed again while it is loaded; after a crash the load goes on where it was, if the
 * file is still the same up to there. Only at the end does the set count as here.
 *
 * @throws `bitcoin/unspent-file`, `bitcoin/unspent-late`
 */
export async function loadUnspentSet(deps: LoadUnspentSetDeps, set: UnspentSet, options: { path: string; signal?: AbortSignal }): Promise<void> {
  const { store, log } = deps;
  const { path, signal } = options;
  if (hasUnspentSet(store, set.hashSerialized)) return;
  if (store.get(layout.position, bitcoinIndex.name) !== undefined || store.get(layout.unspentSet, COMPLETE) !== undefined) {
    throw fail('bitcoin/unspent-late', 'this data directory has indexed blocks without the unspent set of the chain spec: start with an empty one');
  }
  const file = await openSnapshot(path);
  try {
    const begun = store.get(layout.unspentSet, LOADING);
    log.info({ path, coins: Number(file.head.coins), resumed: begun !== undefined }, 'checking the file of the unspent set');
    const checkpoint = await checkFile(file, set, { deps, offset: Number(begun?.offset ?? 0n), ...(signal === undefined ? {} : { signal }) });
    const goesOn = begun !== undefined && checkpoint !== undefined && equal(begun.prefix, checkpoint.prefix);
    let row = goesOn ? begun : await clear(store, set);
    const hash = goesOn ? checkpoint.hash : createHash('sha256');
    log.info({ path, coins: Number(row.coins) }, 'loading the unspent set');
    const progress = createProgress('loading', file.size, deps);
    for await (const chunk of file.chunks(Number(row.offset))) {
      signal?.throwIfAborted();
      row = await writeChunk(store, chunk, { before: row, height: set.genesis.height, hash });
      progress(chunk.next, row.coins);
    }
    // The file may have changed under way.
    checkHash(hash, set);
    const batch = store.batch();
    batch.del(layout.unspentSet, LOADING);
    batch.put(layout.unspentSet, COMPLETE, { ...row, hashSerialized: set.hashSerialized });
    await batch.commit();
    log.info({ coins: Number(row.coins) }, 'the unspent set is complete');
  } finally {
    await file.close();
  }
}
