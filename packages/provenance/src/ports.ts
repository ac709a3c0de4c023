import type { BitcoinTip, BitcoinTransaction, ChainSpec, Hex, L2Header, Publication, Receipt } from '@hemid/protocol';

/** An L2 header with its hash. */
export interface L2Place {
  header: L2Header;
  hash: Uint8Array;
}

/** The canonical L2 chain of a node. */
export interface ChainLog {
  head(tag: 'latest'): L2Place;
  headerAt(number: bigint): L2Place | undefined;
  header(hash: Uint8Array): L2Place | undefined;
  isCanonical(place: L2Place): boolean;
  block(hash: Uint8Array): { block: { transactions: Uint8Array[] }; seal: Uint8Array } | undefined;
  receipts(hash: Uint8Array): Receipt[] | undefined;
  /** Where a canonical transaction stands. */
  transaction(hash: Uint8Array): { blockHash: Uint8Array; index: number } | undefined;
  /** State after a block; its proofs are EIP-1186's and throw when the state is not kept any more. */
  stateAt(place: L2Place): {
    proof(address: Uint8Array, slots: readonly Uint8Array[]): Promise<{ accountProof: Hex[]; storageProof: { proof: Hex[] }[] }>;
  };
}

/** The Bitcoin chain of a node, from the hVM genesis on; hashes in internal order. */
export interface BitcoinLog {
  /** The node's own best block. */
  tip(): BitcoinTip;
  /** The ancestor-or-self of a known block at a height. */
  ancestor(hash: Uint8Array, height: number): { hash: Uint8Array; header: Uint8Array } | undefined;
  heightOf(hash: Uint8Array): number | undefined;
  /** @throws a retry error when the body is not here. */
  transactions(blockHash: Uint8Array): BitcoinTransaction[];
  /** The block of a transaction, as the head of the L2 chain sees Bitcoin. */
  placeOf(txid: Uint8Array): { height: number; blockHash: Uint8Array } | undefined;
}

/** What building a proof reads of a node. */
export interface ProvenanceDeps {
  spec: ChainSpec;
  chain: ChainLog;
  bitcoin: BitcoinLog;
  finality: {
    /** The publication that gives a canonical block most confirmations, of the first keystone at or above it or a later one. */
    of(place: L2Place): Promise<{ best: { keystone: L2Place; publication: Publication } | undefined }>;
  };
}
