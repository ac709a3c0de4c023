import type { ChainReader, PlacedL2Header } from '@hemid/chain';
import { toDisplay } from '@hemid/protocol';
import type { FinalityReader, PublishedKeystone } from './ports.ts';

const showName = ({ header, hash }: PlacedL2Header) => ({ number: header.number, hash });

/** A publication with its keystone, as the `hemi_` methods show it. */
export function showPublication({ keystone, publication, confirmations }: PublishedKeystone) {
  return {
    keystone: showName(keystone),
    confirmations,
    bitcoinHeight: publication.height,
    bitcoinBlockHash: toDisplay(publication.blockHash),
    bitcoinTxid: toDisplay(publication.txid),
    transactionIndex: publication.txIndex,
    outputIndex: publication.vout,
    miner: publication.miner ?? null,
  };
}

/**
 * The heads by their labels, and the publication that makes a block safe or finalized: that of the keystone right
 * above it (protocol section 8); null for the genesis block.
 */
export function showHeads(chain: ChainReader, finality: FinalityReader) {
  const published = finality.published();
  function show(tag: 'safe' | 'finalized') {
    const head = chain.head(tag);
    const reason = published.find(({ keystone }) => keystone.header.number === head.header.number + 1n);
    return { ...showName(head), publication: reason === undefined ? null : showPublication(reason) };
  }
  const tip = finality.tip();
  return {
    latest: showName(chain.head('latest')),
    safe: show('safe'),
    finalized: show('finalized'),
    thresholds: { safe: 1, finalized: chain.spec.genesis.finality.super },
    bitcoinTip: { height: tip.height, hash: toDisplay(tip.hash) },
  };
}
