import {
  decodeBitcoinHeader,
  encodeConsensusReceipt,
  encodeHeader,
  hashKeystone,
  type Publication,
  readSealer,
  toDisplay,
  toKeystoneId,
} from '@hemid/protocol';
import { fail } from './errors.ts';
import { proveInclusion } from './merkle-branch.ts';
import type { L2Place, ProvenanceDeps } from './ports.ts';
import type { AnchoredBlock } from './proof.ts';
import { type AnchoredLinks, type FoundPlace, showBlock, showKeystone, showTransaction } from './provenance.ts';
import { proveListItem } from './trie-list.ts';

/** What stands above an L2 block so far: the keystone block, and its publication. */
export interface FoundAnchor {
  keystone?: L2Place;
  publication?: Publication;
}

/** A block, a transaction of it, and what stands above it. */
export interface Anchorable extends FoundAnchor {
  block: L2Place;
  index?: number | undefined;
}

/** Number of the keystone block that is the first above a block. */
export function keystoneAbove({ spec }: ProvenanceDeps, { header }: L2Place): bigint {
  const period = BigInt(spec.genesis.keystonePeriod);
  return (header.number / period + 1n) * period;
}

/** The keystone that gives a block most confirmations; the first above it while none is published. */
export async function findAnchor(deps: ProvenanceDeps, block: L2Place): Promise<FoundAnchor> {
  const { chain, finality } = deps;
  const next = chain.headerAt(block.header.number + 1n);
  const best = next && (await finality.of(next)).best;
  if (best !== undefined) return best;
  const keystone = chain.headerAt(keystoneAbove(deps, block));
  return keystone === undefined ? {} : { keystone };
}

/** Shows a block up to a publication of the keystone above it; @throws `provenance/not-found` when the chain moves meanwhile. */
export function buildAnchored(
  { chain, bitcoin }: ProvenanceDeps,
  { block, index, keystone, publication }: Anchorable & { keystone: L2Place; publication: Publication },
): AnchoredBlock {
  const transactions = index === undefined ? [] : (chain.block(block.hash)?.block.transactions ?? []);
  const receipts = index === undefined ? [] : (chain.receipts(block.hash) ?? []);
  const headers: Uint8Array[] = [];
  for (let { number } = block.header; number <= keystone.header.number; number += 1n) {
    const place = chain.headerAt(number);
    if (place !== undefined) headers.push(encodeHeader(place.header));
  }
  const history = chain.historyProof(keystone.header.number);
  if (history === undefined) throw fail('provenance/not-found', `keystone block ${keystone.header.number} is not on the canonical chain any more`);
  return {
    ...(index !== undefined && {
      inclusion: { index, transaction: proveListItem(transactions, index), receipt: proveListItem(receipts.map(encodeConsensusReceipt), index) },
    }),
    headers,
    history,
    seal: chain.block(keystone.hash)?.seal ?? new Uint8Array(),
    anchor: proveInclusion(bitcoin.transactions(publication.blockHash), { height: publication.height, index: publication.txIndex }),
  };
}

/** A Bitcoin block as a node sees it; `own` counts the block itself among its confirmations. */
export function showPlace({ bitcoin }: ProvenanceDeps, { height, blockHash }: { height: number; blockHash: Uint8Array }, own: 0 | 1): FoundPlace {
  const { time } = decodeBitcoinHeader(bitcoin.ancestor(blockHash, height)?.header ?? new Uint8Array(80));
  return { height, blockHash, time, confirmations: bitcoin.tip().height - height + own };
}

/** The links from a block upwards, as a node sees them. */
export function showAnchored(deps: ProvenanceDeps, { block, index, keystone, publication }: Anchorable): AnchoredLinks {
  const { spec, chain } = deps;
  const raw = index === undefined ? undefined : chain.block(block.hash)?.block.transactions[index];
  const receipt = index === undefined ? undefined : chain.receipts(block.hash)?.[index];
  const seal = keystone && chain.block(keystone.hash)?.seal;
  const sealedBy = keystone && seal && readSealer(seal, BigInt(spec.genesis.chainId), keystone.hash);
  const place = publication && showPlace(deps, publication, 0);
  return {
    block: showBlock(block),
    ...(raw && receipt && index !== undefined && { transaction: showTransaction(raw, { index, receipt, spec }) }),
    ...(keystone && sealedBy && { keystone: showKeystone(keystone, { id: toKeystoneId(hashKeystone(chain.keystone(keystone))), sealedBy }) }),
    ...(publication && place && { anchor: { txid: toDisplay(publication.txid), ...place, blockHash: toDisplay(place.blockHash) } }),
  };
}
