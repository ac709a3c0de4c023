import {
  type BitcoinTip,
  type BitcoinView,
  type ChainSpec,
  equal,
  type PlacedOutput,
  type PlacedTransaction,
  toDigits,
  toDisplay,
} from '@hemid/protocol';
import { layout, type ScriptRow, type Store, UNSPENT } from '@hemid/store';
import { hashScript } from './bitcoin-index.ts';
import type { BlockStore } from './block-store.ts';
import { fail } from './errors.ts';
import type { ChainHeader, HeaderReader } from './header-tree.ts';
import { readTransactionAt } from './transaction-at.ts';
import { listUnspent, MAX_DEPTH } from './unspent-tree.ts';
import type { Walker } from './walker.ts';

export interface ViewDeps {
  store: Store;
  spec: ChainSpec;
  headers: HeaderReader;
  blocks: Pick<BlockStore, 'get' | 'readRaw'>;
  index: Pick<Walker, 'shared'>;
}

/** Answers of each kind that a view keeps: what it shows never changes, and contracts ask again and again. */
const CACHED = 64;

/** The latest answers by name. */
function createCache<V>() {
  const answers = new Map<string, V>();
  return {
    get(name: string, find: () => V): V {
      const known = answers.get(name);
      if (known !== undefined || answers.has(name)) return known as V;
      const found = find();
      answers.set(name, found);
      const oldest = answers.keys().next().value;
      if (answers.size > CACHED && oldest !== undefined) answers.delete(oldest);
      return found;
    },
  };
}

/**
 * Rows of the store that one call of a view reads at most, the index position included: where the index stands,
 * then a row and the block it names, or a row; a script's newest version and one before it; nodes below its root.
 */
export const MAX_ROWS = {
  heightOfTransaction: 2,
  transaction: 3,
  output: 2,
  balance: 4,
  unspent: (limit: number): number => 4 + (limit + 1) * MAX_DEPTH,
} as const;

/**
 * Where the index stands for a light tip (protocol 4.3): the tip itself up to hVM genesis height + indexLag, above
 * that its ancestor indexLag below.
 */
export function indexTipOf(spec: ChainSpec, headers: HeaderReader, lightTip: ChainHeader): BitcoinTip {
  const { genesisHeight, indexLag } = spec.genesis.bitcoin;
  if (lightTip.height <= genesisHeight + indexLag) return lightTip;
  return headers.ancestor(lightTip.hash, lightTip.height - indexLag) ?? headers.genesis;
}

/**
 * Cuts the view of a light tip. Its rows are read as of the view's own index tip, so that a view of an earlier
 * L2 block still answers exactly after the index went on; once the index left the view's branch every read of its
 * rows throws `bitcoin/view-unavailable`. What follows from header ancestry alone is exact at any time.
 *
 * @throws `bitcoin/header-orphan` (retry) when the tip is not known here.
 */
export function createBitcoinView(deps: ViewDeps, tip: Uint8Array): BitcoinView {
  const { store, spec, headers, blocks, index } = deps;
  const light = headers.read(tip);
  if (light === undefined) throw fail('bitcoin/header-orphan', `the Bitcoin block ${toDisplay(tip)} is not known`);
  const indexTip = indexTipOf(spec, headers, light);

  const cached = { transaction: createCache<PlacedTransaction | undefined>(), output: createCache<PlacedOutput | undefined>() };

  function unavailable(): never {
    throw fail(
      'bitcoin/view-unavailable',
      `the Bitcoin index stands at height ${index.shared().height} and cannot show block ${toDisplay(indexTip.hash)} (height ${indexTip.height})`,
    );
  }

  /** The last position that was found on this view's branch: it is on it for ever. */
  let shown: Uint8Array | undefined;

  function assertIndexed(): void {
    const position = index.shared();
    if (shown !== undefined && equal(shown, position.hash)) return;
    if (position.height < indexTip.height || !headers.isAncestor(indexTip.hash, position.hash)) unavailable();
    shown = position.hash;
  }

  function placeOf(txid: Uint8Array): { height: number; index: number } | undefined {
    const row = store.get(layout.bitcoinTransaction, txid);
    return row === undefined || row.height > indexTip.height ? undefined : row;
  }

  function findTransaction(txid: Uint8Array): PlacedTransaction | undefined {
    const place = placeOf(txid);
    if (place === undefined) return undefined;
    const { hash: blockHash } = headers.ancestor(indexTip.hash, place.height) ?? unavailable();
    const raw = blocks.readRaw(blockHash);
    if (raw === undefined) throw fail('bitcoin/block-missing', `the Bitcoin block ${toDisplay(blockHash)} is not here`);
    return { transaction: readTransactionAt(raw, place.index), height: place.height, blockHash };
  }

  function findOutput(txid: Uint8Array, vout: number): PlacedOutput | undefined {
    const row = store.get(layout.output, { txid, vout });
    if (row === undefined || row.madeAt > indexTip.height) return undefined;
    return { valueSats: row.valueSats, script: row.script, madeAt: row.madeAt, spentAt: spentInView(row.spentAt) };
  }

  /** The outputs of a script as the view's index tip left them. */
  async function versionOf(scriptHash: Uint8Array): Promise<ScriptRow | undefined> {
    assertIndexed();
    const newest = store.get(layout.script, scriptHash);
    if (newest === undefined || newest.since <= indexTip.height) return newest;
    const range = { prefix: scriptHash, from: layout.pastScript.key.encode({ scriptHash, since: indexTip.height }), limit: 1 };
    let found: ScriptRow | undefined;
    for await (const [, row] of store.range(layout.pastScript, range)) found = row;
    assertIndexed();
    return found;
  }

  /** The spending height as this view sees it. */
  function spentInView(spentAt: number): number | undefined {
    return spentAt === UNSPENT || spentAt > indexTip.height ? undefined : spentAt;
  }

  return {
    network: spec.genesis.bitcoin.network,
    genesis: headers.genesis,
    lightTip: { hash: light.hash, height: light.height },
    indexTip: { hash: indexTip.hash, height: indexTip.height },
    ancestor: (height) => headers.ancestor(light.hash, height),
    heightOf(hash) {
      const header = headers.read(hash);
      if (header === undefined || header.height > light.height) return undefined;
      return headers.isAncestor(hash, light.hash) ? header.height : undefined;
    },
    transactionsAt(height) {
      const header = headers.ancestor(indexTip.hash, height);
      if (header === undefined) throw fail('bitcoin/view-unavailable', `the view has no block at height ${height}`);
      return blocks.get(header.hash).transactions;
    },
    heightOfTransaction(txid) {
      assertIndexed();
      return placeOf(txid)?.height;
    },
    transaction(txid) {
      assertIndexed();
      return cached.transaction.get(toDigits(txid), () => findTransaction(txid));
    },
    output(txid, vout) {
      assertIndexed();
      return cached.output.get(`${toDigits(txid)}/${vout}`, () => findOutput(txid, vout));
    },
    async balance(script) {
      return (await versionOf(hashScript(script)))?.balanceSats ?? 0n;
    },
    async unspent(script, page) {
      const scriptHash = hashScript(script);
      const row = await versionOf(scriptHash);
      // No wait between here and the last node: the index does not move under the walk.
      return row === undefined ? [] : listUnspent(store, { scriptHash, row }, page);
    },
    async publications(abbreviatedHash) {
      assertIndexed();
      const found = [];
      for await (const [key, row] of store.range(layout.publication, { prefix: abbreviatedHash })) {
        if (key.height > indexTip.height) break;
        const { height, txIndex, vout } = key;
        const miner = row.miner.length === 0 ? undefined : row.miner;
        found.push({ height, blockHash: row.blockHash, txIndex, vout, txid: row.txid, miner });
      }
      assertIndexed();
      return found;
    },
  };
}
