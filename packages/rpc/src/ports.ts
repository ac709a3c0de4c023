import type { BitcoinBlock } from '@hemid/bitcoin';
import type { PlacedL2Header } from '@hemid/chain';
import type { UserTransaction } from '@hemid/hvm';
import type { BitcoinTip, Deposit, L2Header, Page, PlacedHeader, Publication, TunnelSums, UnspentOutput } from '@hemid/protocol';
import type { ReadLimits } from './limits.ts';
import type { WireText } from './wire-text.ts';

/** A call that reads for long, as a client makes it. */
export interface LongRead {
  method: string;
  /** By position or by name, as they stand on the wire. */
  params: unknown;
  limits: ReadLimits;
}

/** Threads that read beside the main one. */
export interface LongReads {
  /**
   * Carries out a call; it is given up soon after `isOver` says that nobody waits for it.
   *
   * @returns its result as it is sent; rejects with what the method throws, or a `retry` error when its thread ends.
   */
  run(call: LongRead, isOver: () => boolean): Promise<WireText>;
}

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
  /** @throws `bitcoin/block-missing` (retry) */
  get(hash: Uint8Array): BitcoinBlock;
}

/** A keystone block with the publication it is counted by. */
export interface PublishedKeystone {
  keystone: PlacedL2Header;
  publication: Publication;
  /** Bitcoin tip height − publication height. */
  confirmations: number;
}

/** How deep blocks of the canonical chain stand in Bitcoin. */
export interface FinalityReader {
  /** The published keystones that can still move a label, newest first. */
  published(): PublishedKeystone[];
  /** The Bitcoin block that confirmations are counted from. */
  tip(): BitcoinTip;
  of(block: PlacedL2Header): Promise<{
    /** The first keystone at or above the block; `undefined` while it is not built. */
    keystone: PlacedL2Header | undefined;
    /** The publication that gives the block most confirmations. */
    best: PublishedKeystone | undefined;
    /** The Bitcoin block that confirmations are counted from. */
    tip: BitcoinTip;
  }>;
}

/** Bitcoin at the node's own best block; what reads outputs or transactions throws `retry` errors while the node catches up. */
export interface BestBitcoin {
  tip(): BitcoinTip;
  /** A block of the chain up to the tip, from the hVM genesis on. */
  headerAt(height: number): PlacedHeader | undefined;
  /** A page of the unspent outputs of a script; `isMature`: the next block may spend it. */
  unspent(script: Uint8Array, page: Page): Promise<(UnspentOutput & { isMature: boolean })[]>;
  /** In satoshis. */
  balance(script: Uint8Array): Promise<bigint>;
  /** A transaction, serialised with witnesses. */
  transaction(txid: Uint8Array): Promise<Uint8Array | undefined>;
  /** How far the node has come: the best header, and where the index stands, which follows the L2 head. */
  progress(): { best: BitcoinTip; index: BitcoinTip };
}

/** Publications on the node's own best Bitcoin chain. */
export interface PublicationReader {
  /** The first one of a keystone block that counts (protocol section 8). */
  first(keystone: PlacedL2Header): Promise<Publication | undefined>;
  /** Those of any keystone by the hash of its abbreviation, in Bitcoin order, at most `limit`. */
  all(abbreviatedHash: Uint8Array, limit: number): Promise<Publication[]>;
}

/** The Bitcoin network, by the node's Bitcoin node. Each throws `retry` errors while that cannot be asked. */
export interface BitcoinGateway {
  /** Sends a transaction; @returns its txid. @throws with the Bitcoin node's words when it refuses. */
  broadcast(raw: Uint8Array): Promise<Uint8Array>;
  /** Satoshis per virtual byte with which a transaction is in one of the next `blocks` blocks. */
  feeRate(blocks: number): Promise<number>;
  /** Whether nothing spends an output, in a block or in the mempool. */
  isFree(output: { txid: Uint8Array; vout: number }): Promise<boolean>;
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

/** Where deposits, transactions and blocks come from, and where withdrawals went. */
export interface ProvenanceReader {
  /**
   * Follows the links from what is named to its anchor in Bitcoin; a hash is that of an L2 block or transaction, or a txid
   * in display order. `proof` is there when all links stand, otherwise `missing` says what it waits for.
   */
  build(
    id: { number: bigint } | { withdrawal: bigint } | { hash: Uint8Array },
    options: { checkpointHeight: number | undefined },
  ): Promise<{ provenance: object; proof?: object; missing?: string }>;
}

/** Deposits, withdrawals and reserves, as the head sees them; txids and scripts as bytes, txids in internal order. */
export interface TunnelReader {
  deposit(txid: Uint8Array): Promise<{
    status: string;
    explanation: string;
    bitcoin: { height: number; blockHash: Uint8Array; confirmations: number } | undefined;
    dueAtHeight: number | undefined;
    deposit: Deposit | undefined;
    onL2: { block: PlacedL2Header; transactionHash: Uint8Array } | undefined;
  }>;
  /** `undefined` when nobody has requested it. */
  withdrawal(id: bigint): Promise<
    | {
        status: 'requested' | 'finalized' | 'settled';
        request: { id: bigint; sats: bigint; feeSats: bigint; script: Uint8Array };
        block: PlacedL2Header | undefined;
        settledBy: Uint8Array | undefined;
        before: bigint;
      }
    | undefined
  >;
  /** Payments to the vaults that credit nobody, from a Bitcoin height downwards; from the head's when it is left out. */
  recoverable(options: { from: number | undefined }): Promise<{
    payments: {
      txid: Uint8Array;
      height: number;
      blockHash: Uint8Array;
      confirmations: number;
      status: 'refused' | 'failed' | 'part';
      explanation: string;
      outputs: { vout: number; valueSats: bigint; script: Uint8Array; spentAt: number | undefined }[];
      sender: Uint8Array | undefined;
      recipient: Uint8Array | undefined;
    }[];
    next: number | undefined;
  }>;
  reserves(): Promise<
    TunnelSums & {
      vaults: { script: Uint8Array; sats: bigint }[];
      reserveSats: bigint;
      liabilitySats: bigint;
      deficitSats: bigint;
      isBreached: boolean;
    }
  >;
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
  syncing(): false | { startingBlock: bigint; currentBlock: bigint; highestBlock: bigint };
}
