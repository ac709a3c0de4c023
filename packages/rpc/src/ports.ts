import type { PlacedL2Header } from '@hemid/chain';
import type { UserTransaction } from '@hemid/hvm';
import type { BitcoinTip, Deposit, Publication, TunnelSums } from '@hemid/protocol';

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
  /** Why the node is not ready to serve, one sentence each; empty when it is. */
  reasons(): string[];
  /** All metrics in Prometheus' text format. */
  metrics(): string;
  /** `false` when the node is at the head it knows of. */
  syncing(): false | { currentBlock: bigint; highestBlock: bigint };
}
