import type { HeaderChain, Walker } from '@hemid/bitcoin';
import { type AnchorPosition, type Anchors, bitcoinReference, keystoneOf, type PlacedL2Header } from '@hemid/chain';
import { type BitcoinTip, type ChainSpec, counts, hashKeystone, type Publication } from '@hemid/protocol';
import { layout, type Store } from '@hemid/store';

export interface AnchorDeps {
  spec: ChainSpec;
  store: Store;
  headers: HeaderChain;
  /** The walker of the anchor follower. */
  walker: Walker;
  ancestorOf(block: PlacedL2Header, number: bigint): PlacedL2Header;
}

/** Publications of keystones on the node's own best Bitcoin chain. */
export interface AnchorReader extends Anchors {
  /** Where the anchors stand: the tip that confirmations are counted from. */
  tip(): BitcoinTip;
  /** The first counting publication of a keystone block. */
  first(keystone: PlacedL2Header): Promise<Publication | undefined>;
  /** Publications of any keystone by the hash of its abbreviation, whether they count or not, in Bitcoin order, at most `limit`. */
  all(abbreviatedHash: Uint8Array, limit: number): Promise<Publication[]>;
}

/** Creates the {@link AnchorReader} over the anchor rows. */
export function createAnchorReader(deps: AnchorDeps): AnchorReader {
  const { spec, store, headers, walker } = deps;

  /** The Bitcoin tip a block names, if it is on the chain that the anchors follow. */
  function named(block: PlacedL2Header): BitcoinTip | undefined {
    const header = headers.read(bitcoinReference(block.header));
    const tip = walker.position();
    return header !== undefined && header.height <= tip.height && headers.isAncestor(header.hash, tip.hash) ? header : undefined;
  }

  async function* publicationsOf(abbreviatedHash: Uint8Array): AsyncGenerator<Publication> {
    for await (const [{ height, txIndex, vout }, row] of store.range(layout.anchor, { prefix: abbreviatedHash })) {
      const miner = row.miner.length === 0 ? undefined : row.miner;
      yield { height, txIndex, vout, txid: row.txid, blockHash: row.blockHash, miner };
    }
  }

  async function first(keystone: PlacedL2Header): Promise<Publication | undefined> {
    const tip = named(keystone);
    if (tip === undefined) return undefined;
    const id = hashKeystone(keystoneOf(spec, headers, keystone, (number) => deps.ancestorOf(keystone, number)));
    for await (const publication of publicationsOf(id)) if (counts(publication, tip)) return publication;
    return undefined;
  }

  return {
    tip: () => walker.position(),
    first,
    async all(abbreviatedHash, limit) {
      const found: Publication[] = [];
      for await (const publication of publicationsOf(abbreviatedHash)) {
        if (found.length === limit) break;
        found.push(publication);
      }
      return found;
    },
    async position(keystone): Promise<AnchorPosition | undefined> {
      return first(keystone);
    },
  };
}
