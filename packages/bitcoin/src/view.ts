import { type BitcoinTip, type BitcoinView, type ChainSpec, type PlacedOutput, toDisplay } from '@hemid/protocol';
import { layout, type Store, UNSPENT } from '@hemid/store';
import { hashScript } from './bitcoin-index.ts';
import type { BlockStore } from './block-store.ts';
import { fail } from './errors.ts';
import type { ChainHeader, HeaderChain } from './header-chain.ts';
import type { Walker } from './walker.ts';

export interface ViewDeps {
  store: Store;
  spec: ChainSpec;
  headers: HeaderChain;
  blocks: BlockStore;
  index: Walker;
}

/**
 * Where the index stands for a light tip (protocol 4.3): the tip itself up to hVM genesis height + indexLag, above
 * that its ancestor indexLag below.
 */
export function indexTipOf(spec: ChainSpec, headers: HeaderChain, lightTip: ChainHeader): BitcoinTip {
  const { genesisHeight, indexLag } = spec.genesis.bitcoin;
  if (lightTip.height <= genesisHeight + indexLag) return lightTip;
  return headers.ancestor(lightTip.hash, lightTip.height - indexLag) ?? headers.genesis;
}

/**
 * Cuts the view of a light tip. Its rows are read as of the view's own index tip, so that a view of an earlier
 * L2 block still answers exactly after the index went on; once the index left the view's branch every read throws
 * `bitcoin/view-unavailable`.
 *
 * @throws `bitcoin/header-orphan` (retry) when the tip is not known here.
 */
export function createBitcoinView(deps: ViewDeps, tip: Uint8Array): BitcoinView {
  const { store, spec, headers, blocks, index } = deps;
  const light = headers.read(tip);
  if (light === undefined) throw fail('bitcoin/header-orphan', `the Bitcoin block ${toDisplay(tip)} is not known`);
  const indexTip = indexTipOf(spec, headers, light);

  function assertIndexed(): void {
    const position = index.position();
    if (position.height >= indexTip.height && headers.isAncestor(indexTip.hash, position.hash)) return;
    throw fail(
      'bitcoin/view-unavailable',
      `the Bitcoin index stands at height ${position.height} and cannot show block ${toDisplay(indexTip.hash)} (height ${indexTip.height})`,
    );
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
      const row = store.get(layout.bitcoinTransaction, txid);
      return row === undefined || row.height > indexTip.height ? undefined : row.height;
    },
    output(txid, vout): PlacedOutput | undefined {
      assertIndexed();
      const row = store.get(layout.output, { txid, vout });
      if (row === undefined || row.madeAt > indexTip.height) return undefined;
      return { valueSats: row.valueSats, script: row.script, madeAt: row.madeAt, spentAt: spentInView(row.spentAt) };
    },
    async balance(script) {
      assertIndexed();
      let sum = 0n;
      for await (const [, row] of store.range(layout.scriptOutput, { prefix: hashScript(script) })) {
        if (row.madeAt <= indexTip.height && spentInView(row.spentAt) === undefined) sum += row.valueSats;
      }
      assertIndexed();
      return sum;
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
