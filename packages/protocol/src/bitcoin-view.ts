import type { BitcoinNetwork } from './bitcoin-address.ts';
import type { BitcoinOutput, BitcoinTransaction } from './bitcoin-transaction.ts';

/** A block of a Bitcoin chain, by hash (internal order) and height. */
export interface BitcoinTip {
  hash: Uint8Array;
  height: number;
}

/** A header with its place. */
export interface PlacedHeader extends BitcoinTip {
  /** 80 bytes. */
  header: Uint8Array;
}

/** An unspent output of a script. */
export interface UnspentOutput {
  txid: Uint8Array;
  vout: number;
  valueSats: bigint;
}

/** An output with the heights that made and spent it. */
export interface PlacedOutput extends BitcoinOutput {
  madeAt: number;
  /** `undefined` while unspent at the view's index tip. */
  spentAt: number | undefined;
}

/** A transaction in an indexed block. */
export interface PlacedTransaction {
  transaction: BitcoinTransaction;
  height: number;
  blockHash: Uint8Array;
}

/** Which part of a long list is asked for. */
export interface Page {
  /** Entries to leave out at the start. */
  skip: number;
  /** Entries to give at most. */
  limit: number;
}

/** A keystone seen in Bitcoin (protocol section 7). */
export interface Publication {
  height: number;
  blockHash: Uint8Array;
  txIndex: number;
  vout: number;
  txid: Uint8Array;
  /** Reward address, 20 bytes; `undefined` when it pays nobody. */
  miner: Uint8Array | undefined;
}

/**
 * Bitcoin as one L2 block sees it: named by its light tip, immutable, the same on every node (protocol 4.3, 4.4).
 * Point reads are synchronous; reads that may seek are not, since LevelDB has no synchronous iterator. Every read of
 * `transaction`, `heightOfTransaction`, `output`, `balance` and `unspent` touches a bounded number of rows, however
 * long a script's history is: a precompile charges a fixed price for it.
 *
 * Every method throws a `retry` error when this node lacks the data; `undefined` always means "not there".
 */
export interface BitcoinView {
  readonly network: BitcoinNetwork;
  readonly genesis: BitcoinTip;
  /** The L2 block's Bitcoin header reference. */
  readonly lightTip: BitcoinTip;
  /** What the index shows: the light tip, or its ancestor indexLag below. */
  readonly indexTip: BitcoinTip;
  /** Ancestor-or-self of the light tip at a height from the hVM genesis on. */
  ancestor(height: number): PlacedHeader | undefined;
  /** Height of a block that is ancestor-or-self of the light tip. */
  heightOf(hash: Uint8Array): number | undefined;
  /** Transactions of an indexed block, hVM genesis + 1 … index tip. */
  transactionsAt(height: number): BitcoinTransaction[];
  /** Height of a transaction in an indexed block. */
  heightOfTransaction(txid: Uint8Array): number | undefined;
  /** A transaction in an indexed block. */
  transaction(txid: Uint8Array): PlacedTransaction | undefined;
  /** An output in the index, spent or not; unspendable ones are not in it. */
  output(txid: Uint8Array, vout: number): PlacedOutput | undefined;
  /** Sum of the unspent outputs of a script, in satoshis. */
  balance(script: Uint8Array): Promise<bigint>;
  /** A page of the unspent outputs of a script, by txid (internal order), then vout. */
  unspent(script: Uint8Array, page: Page): Promise<UnspentOutput[]>;
  /** Publications of a keystone up to the index tip, in Bitcoin order. */
  publications(abbreviatedHash: Uint8Array): Promise<Publication[]>;
}
