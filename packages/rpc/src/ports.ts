import type { PlacedL2Header } from '@hemid/chain';
import type { UserTransaction } from '@hemid/hvm';
import type { BitcoinTip, L2Header, Publication } from '@hemid/protocol';

/** Where transactions go: the pool of a sequencer; on a verifier a forwarder to one, or a refusal. */
export interface TransactionPool {
  /**
   * Takes a raw transaction.
   *
   * @returns its hash.
   * @throws `hvm/transaction-invalid` or `pool/…`, whose message, worded as geth words it, is what the caller reads.
   */
  submit(raw: Uint8Array): Promise<Uint8Array>;
  /** The nonce of the address's next transaction, counting those that wait. */
  nonce(address: Uint8Array): Promise<bigint>;
  /** A waiting transaction. */
  read(hash: Uint8Array): UserTransaction | undefined;
  /** Calls `listener` with each transaction taken; @returns an unsubscribe. */
  onTransaction(listener: (transaction: UserTransaction) => void): () => void;
  /** How many are executable now, and how many wait for an earlier nonce. */
  counts(): { pending: number; queued: number };
  /** Those that are counted, by sender (lower-case hex) in the order of their nonces. */
  content(): { pending: ReadonlyMap<string, readonly UserTransaction[]>; queued: ReadonlyMap<string, readonly UserTransaction[]> };
}

/** The rules of the chain over time (EIP-7910). */
export interface RuleReader {
  /** Where forks came after the genesis: by block number, and by time in seconds; ascending. */
  readonly forks: { blocks: readonly bigint[]; times: readonly bigint[] };
  /** What holds at a time. */
  at(timestamp: bigint): {
    blobs: { target: number; max: number; baseFeeUpdateFraction: number };
    precompiles: readonly Uint8Array[];
    systemContracts: Record<string, Uint8Array>;
  };
  /** Wei per blob gas in a block. */
  blobBaseFee(header: L2Header): bigint;
}

/** The bodies of Bitcoin blocks. */
export interface BitcoinBlocks {
  /** A raw block with witness by its hash (internal order), or `undefined`. */
  readRaw(hash: Uint8Array): Uint8Array | undefined;
}

/** How deep blocks of the canonical chain stand in Bitcoin. */
export interface FinalityReader {
  of(block: PlacedL2Header): Promise<{
    /** The first keystone at or above the block; `undefined` while it is not built. */
    keystone: PlacedL2Header | undefined;
    /** The publication that gives the block most confirmations. */
    best: { keystone: PlacedL2Header; publication: Publication; confirmations: number } | undefined;
    /** The Bitcoin block that confirmations are counted from. */
    tip: BitcoinTip;
  }>;
}

/** The rewards of keystones. */
export interface PayoutReader {
  /** What has become of the reward of a canonical keystone block, as the head sees Bitcoin. */
  report(keystone: PlacedL2Header): Promise<{
    status: 'unpublished' | 'unpayable' | 'open' | 'due' | 'paid';
    standing:
      | { opened: number; due: number; payees: { publication: Publication & { miner: Uint8Array }; score: bigint; amount: bigint }[] }
      | undefined;
    tipHeight: number;
  }>;
}

/** What the node says of itself. */
export interface NodeStatus {
  /** Name and version, for `web3_clientVersion`. */
  readonly clientVersion: string;
  /** Blocks below the head whose state stays readable; `undefined`: all. */
  readonly stateWindow: number | undefined;
  /** Why the node is not ready to serve, one sentence each; empty when it is. */
  reasons(): string[];
  /** All metrics in Prometheus' text format. */
  metrics(): string;
  /** `false` when the node is at the head it knows of. */
  syncing(): false | { currentBlock: bigint; highestBlock: bigint };
}
