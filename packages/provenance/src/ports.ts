import type { BitcoinTip, BitcoinTransaction, ChainSpec, Keystone, L2Header, Publication, Receipt } from '@hemid/protocol';

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
  /** Where the canonical tunnel transaction about a Bitcoin transaction (txid in internal order) stands. */
  tunnelTransaction(txid: Uint8Array): { blockHash: Uint8Array; index: number } | undefined;
  /** The keystone of a keystone block. */
  keystone(place: L2Place): Keystone;
  /** What the state of a canonical keystone block shows of the blocks below it, however old it is. */
  historyProof(number: bigint): HistoryProof | undefined;
}

/** Trie nodes from the root down: the EIP-2935 contract, its slot of the parent's hash, and that of the keystone block before, if there is one. */
export interface HistoryProof {
  account: Uint8Array[];
  parent: Uint8Array[];
  previous?: Uint8Array[];
}

/** What has become of a request to withdraw, as the head of the L2 chain sees it. */
export interface WithdrawalState {
  status: 'requested' | 'finalized' | 'settled';
  /** The block with the request. */
  block: L2Place | undefined;
  /** The Bitcoin transaction that settled it, internal order. */
  settledBy: Uint8Array | undefined;
  /** Open requests that are paid before it. */
  before: bigint;
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
  tunnel: { withdrawal(id: bigint): Promise<WithdrawalState | undefined> };
  finality: {
    /** The publication that gives a canonical block most confirmations, of the first keystone at or above it or a later one. */
    of(place: L2Place): Promise<{ best: { keystone: L2Place; publication: Publication } | undefined }>;
  };
}
