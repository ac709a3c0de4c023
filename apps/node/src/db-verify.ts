import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bitcoinIndex, createWalker, parseBlock } from '@hemid/bitcoin';
import { anchorFollower } from '@hemid/finality';
import { type ChainSpec, compare, decodeHeader, decodeSealedBlock, equal, isHemidError, type SealedBlock, toDisplay, toHex } from '@hemid/protocol';
import { silentLogger } from '@hemid/runtime';
import { createOverlayStore, layout, openMemoryStore, openStore, type Store, type Table } from '@hemid/store';
import { loadSpecUnspentSet } from './bitcoin-source.ts';
import { compareTable, createDifferences, type Differences } from './db-compare.ts';
import type { DbVerifyConfig } from './db-config.ts';
import { type DbContext, type DbEnd, lowestUndo, openDbNode, readHead } from './db-node.ts';
import { fail } from './errors.ts';
import type { Node } from './node.ts';

type AnyTable = Table<unknown, unknown>;

/** What the canonical chain alone decides. */
const CHAIN_TABLES = ['canonical', 'transaction', 'keystone', 'historyProof', 'state', 'stateHistory', 'stateUndo'] as const;
/** What the Bitcoin block decides that a follower stands on. */
const FOLLOWERS = [
  { follower: bitcoinIndex, tables: ['output', 'script', 'pastScript', 'scriptNode', 'bitcoinTransaction', 'publication'] },
  { follower: anchorFollower, tables: ['anchor'] },
] as const;

/** The database that is verified, and the one that is built to compare with. */
interface Pair {
  found: Store;
  expected: Store;
}

/** Bodies belong to the hashes they stand under. */
async function checkBodies({ found }: Pair, differences: Differences): Promise<number> {
  let count = 0;
  for await (const [hash, raw] of found.range(layout.bitcoinBlock)) {
    count += 1;
    try {
      if (!equal(parseBlock(raw).hash, hash)) differences.add(`bitcoinBlock ${toDisplay(hash)} holds another block`);
    } catch (error) {
      differences.add(`bitcoinBlock ${toDisplay(hash)}: ${(error as Error).message}`);
    }
  }
  return count;
}

/** Checks all Bitcoin headers anew, lowest first. */
async function checkHeaders({ found }: Pair, { headers }: Node, differences: Differences): Promise<void> {
  const rows: { header: Uint8Array; height: number }[] = [];
  for await (const [, row] of found.range(layout.bitcoinHeader)) rows.push(row);
  rows.sort((a, b) => a.height - b.height);
  try {
    await headers.add(rows.map(({ header }) => header));
  } catch (error) {
    if (!isHemidError(error) || error.severity === 'fatal') throw error;
    differences.add(`bitcoinHeader: ${error.message}`);
  }
}

/** The canonical block at a number, or `undefined` (and a difference) when its rows are not whole. */
function readCanonical(store: Store, number: bigint, differences: Differences): SealedBlock | undefined {
  const hash = store.get(layout.canonical, number);
  const block = hash === undefined ? undefined : store.get(layout.block, hash);
  const header = hash === undefined ? undefined : store.get(layout.header, hash);
  if (hash === undefined || block === undefined || header === undefined) {
    differences.add(`block ${number}: it is not here as a whole`);
    return undefined;
  }
  try {
    const sealed = decodeSealedBlock(block);
    if (equal(sealed.hash, hash) && compare(header, encodedHeader(sealed, header)) === 0) return sealed;
    differences.add(`block ${number}: ${toHex(hash)} is canonical, but another block or header stands there`);
  } catch (error) {
    if (!isHemidError(error, 'protocol/encoding')) throw error;
    differences.add(`block ${number}: ${error.message}`);
  }
  return undefined;
}

/** The header row as it must be: the same bytes when it decodes to the header of the block. */
function encodedHeader(sealed: SealedBlock, row: Uint8Array): Uint8Array {
  const { header } = sealed.block;
  const decoded = decodeHeader(row);
  const same = (Object.keys(header) as (keyof typeof header)[]).every((field) => {
    const [a, b] = [header[field], decoded[field]];
    return a instanceof Uint8Array ? equal(a, b as Uint8Array) : a === b;
  });
  return same ? row : new Uint8Array();
}

/** Executes canonical blocks again. @returns how many were as they must be; the first that is not ends it. */
async function execute(
  context: DbContext,
  node: Node,
  range: { first: bigint; last: bigint },
  pair: Pair,
  differences: Differences,
): Promise<bigint> {
  for (let number = range.first; number <= range.last; number += 1n) {
    context.signal.throwIfAborted();
    const sealed = readCanonical(pair.found, number, differences);
    if (sealed === undefined) return number - range.first;
    try {
      await node.chain.import(sealed);
    } catch (error) {
      if (!isHemidError(error) || error.severity === 'fatal') throw error;
      differences.add(`block ${number}: ${error.message}`);
      return number - range.first;
    }
    if (!equal(node.chain.head('latest').hash, sealed.hash)) {
      differences.add(`block ${number}: it does not follow the block before it`);
      return number - range.first;
    }
    for (const table of ['header', 'block', 'receipts'] as const) {
      const [found, expected] = [pair.found.get(layout[table], sealed.hash), pair.expected.get(layout[table], sealed.hash)];
      if (found === undefined || expected === undefined || !equal(found, expected))
        differences.add(`block ${number}: its ${table} row is not as it must be`);
    }
    context.progress(number, range.last);
  }
  await node.settled();
  return range.last - range.first + 1n;
}

/** Holds everything derived from L2 blocks and from Bitcoin blocks against what the second database has. */
async function compareAll(pair: Pair, node: Node, differences: Differences): Promise<void> {
  // Blocks bring headers with them, so that one that is missing is known by now.
  await compareTable('bitcoinHeader', layout.bitcoinHeader as AnyTable, pair, differences);
  for (const name of CHAIN_TABLES) await compareTable(name, layout[name] as AnyTable, pair, differences);
  const [state, head] = [pair.found.get(layout.position, 'state'), node.chain.head('latest')];
  if (state === undefined || !equal(state.hash, head.hash)) differences.add('state: it does not stand at the head');
  if (pair.found.get(layout.leaf, head.hash) === undefined) differences.add('leaf: the head is not among the leaves');
  for (const { follower, tables } of FOLLOWERS) {
    const position = pair.found.get(layout.position, follower.name);
    const to = position?.hash ?? node.headers.genesis.hash;
    if (node.headers.read(to) === undefined) {
      differences.add(`position ${follower.name}: the Bitcoin block ${toDisplay(to)} is not known`);
      continue;
    }
    try {
      await createWalker(follower, { store: pair.expected, headers: node.headers, blocks: node.blocks }).moveTo(to);
    } catch (error) {
      if (!isHemidError(error, 'bitcoin/block-missing')) throw error;
      differences.add(`position ${follower.name}: ${error.message}`);
      continue;
    }
    for (const name of tables) await compareTable(name, layout[name] as AnyTable, pair, differences);
  }
}

/** A database with nothing in it, where there is room; @returns how to be rid of it too. */
async function openScratch(directory: string): Promise<{ store: Store; remove: () => Promise<void> }> {
  let path: string;
  try {
    path = mkdtempSync(join(directory, 'hemid-db-verify-'));
  } catch (cause) {
    throw fail('node/config', `cannot make a directory in ${directory}: ${(cause as Error).message}`, { cause });
  }
  const store = await openStore(path);
  return {
    store,
    async remove() {
      await store.close();
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** Executes every block into an empty database; only the Bitcoin bodies are taken from the one that is verified. */
async function verifyAll(
  context: DbContext,
  spec: ChainSpec,
  config: DbVerifyConfig,
  last: bigint,
): Promise<{ executed: bigint; differences: Differences }> {
  const differences = createDifferences();
  const scratch = await openScratch(config.scratch ?? tmpdir());
  try {
    const pair = { found: context.store, expected: createOverlayStore(context.store, scratch.store, { shown: [layout.bitcoinBlock] }) };
    await checkBodies(pair, differences);
    await loadSpecUnspentSet(spec, config.unspentSet, { store: pair.expected, clock: context.clock, log: silentLogger });
    // As many blocks of history as the other one has, so that they can be compared row by row.
    const lowest = await lowestUndo(context.store);
    const stateWindow = lowest === undefined || lowest === 1n ? undefined : Number(last - lowest + 1n);
    const node = await openDbNode(spec, pair.expected, { clock: context.clock, stateWindow });
    await checkHeaders(pair, node, differences);
    const executed = await execute(context, node, { first: 1n, last }, pair, differences);
    if (executed === last) await compareAll(pair, node, differences);
    return { executed, differences };
  } finally {
    await scratch.remove();
  }
}

/** Takes the last blocks back in memory, over the database that is verified, and executes them again. */
async function verifyFrom(context: DbContext, spec: ChainSpec, first: bigint, last: bigint): Promise<{ executed: bigint; differences: Differences }> {
  const differences = createDifferences();
  const lowest = await lowestUndo(context.store);
  if (lowest === undefined || first < lowest) {
    throw fail(
      'node/db-reach',
      `--from ${first} is further back than the state is kept: ${lowest ?? 'no block'} is the first that can be executed again`,
    );
  }
  const memory = await openMemoryStore();
  try {
    const pair = { found: context.store, expected: createOverlayStore(context.store, memory) };
    const node = await openDbNode(spec, pair.expected, { clock: context.clock });
    await node.chain.rollback(last - first + 1n);
    const executed = await execute(context, node, { first, last }, pair, differences);
    if (executed === last - first + 1n) await compareAll(pair, node, differences);
    return { executed, differences };
  } finally {
    await memory.close();
  }
}

/**
 * `hemid db verify`: executes canonical blocks again, as a verifier does, and compares every header, receipt, and row
 * that follows from them. The database itself is not written.
 */
export async function runDbVerify(context: DbContext, { spec, config }: { spec: ChainSpec; config: DbVerifyConfig }): Promise<DbEnd> {
  const head = await readHead(context.store);
  if (head === undefined) return { line: 'verify: the database holds no chain' };
  const last = head.header.number;
  const first = config.from === undefined || config.from === 0n ? 1n : config.from;
  if (config.from !== undefined && first > last) throw fail('node/config', `--from ${first} is above the head, block ${last}`);
  const { executed, differences } =
    config.from === undefined ? await verifyAll(context, spec, config, last) : await verifyFrom(context, spec, first, last);
  for (const line of differences.lines()) context.write(`differs: ${line}`);
  if (differences.count() > 0)
    return {
      line: `verify: ${differences.count()} difference${differences.count() === 1 ? '' : 's'}; ${executed} blocks executed, head ${last} ${toHex(head.hash)}`,
      isWrong: true,
    };
  return {
    line: `verify: all ${executed} blocks from ${first} on are right, head ${last} ${toHex(head.hash)} state root ${toHex(head.header.stateRoot)}`,
  };
}
