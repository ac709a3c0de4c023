import type { Message, ReplayOptions, Sandbox, SimulationResult, StateReader, UserTransaction } from '@hemid/hvm';
import type { BitcoinView, ChainSpec, Keystone, Receipt, SealedBlock } from '@hemid/protocol';
import type { Checkpoint } from './checkpoint.ts';
import type { Conflict } from './head-decision.ts';
import type { LogFilter } from './log-index.ts';
import type { PlacedL2Header } from './ports.ts';
import type { SlotEvidence } from './slot-evidence.ts';

/** Names of heads (protocol section 8). */
export type HeadTag = 'latest' | 'safe' | 'finalized' | 'earliest';

/** A change of the canonical chain, hashes: `removed` from the old head down, `added` up to the new one. */
export interface HeadChange {
  removed: PlacedL2Header[];
  added: PlacedL2Header[];
}

/** Trie nodes from the root down: the EIP-2935 contract, its slot of the parent's hash, and that of the keystone block before, if there is one. */
export interface HistoryProof {
  account: Uint8Array[];
  parent: Uint8Array[];
  previous?: Uint8Array[];
}

/** The L2 chain as it stands: blocks, states, and what blocks or messages would do again. */
export interface ChainView {
  readonly spec: ChainSpec;
  head(tag: HeadTag): PlacedL2Header;
  /** Canonical header by number. */
  headerAt(number: bigint): PlacedL2Header | undefined;
  /** Any known header by hash, canonical or not. */
  header(hash: Uint8Array): PlacedL2Header | undefined;
  isCanonical(placed: PlacedL2Header): boolean;
  ancestorOf(block: PlacedL2Header, number: bigint): PlacedL2Header;
  block(hash: Uint8Array): SealedBlock | undefined;
  receipts(hash: Uint8Array): Receipt[] | undefined;
  /** Where a canonical transaction stands. */
  transaction(hash: Uint8Array): { blockHash: Uint8Array; index: number } | undefined;
  /** Where the canonical tunnel transaction about a Bitcoin transaction (txid in internal order) stands. */
  tunnelTransaction(txid: Uint8Array): { blockHash: Uint8Array; index: number } | undefined;
  /** The keystone of a keystone block. */
  keystone(block: PlacedL2Header): Keystone;
  /** What the state of a canonical keystone block shows of the blocks below it, however old it is. */
  historyProof(number: bigint): HistoryProof | undefined;
  /** A canonical keystone block by the hash of its abbreviation (internal order). */
  keystoneBlock(abbreviatedHash: Uint8Array): PlacedL2Header | undefined;
  /**
   * Canonical blocks of a range, ascending, that may have wanted logs: each of the addresses and topics stands in one,
   * though perhaps not in the same. The range lies within one section of the index.
   */
  logBlocks(filter: LogFilter, range: { from: bigint; to: bigint }): PlacedL2Header[];
  /** State after a block. */
  stateAt(block: PlacedL2Header): StateReader;
  /** Bitcoin as a block sees it. */
  viewAt(block: PlacedL2Header): BitcoinView;
  /** Tries a message on the state after a block. */
  simulate(block: PlacedL2Header, message: Message): Promise<SimulationResult>;
  /** Where things are tried out on the state after a block. */
  sandboxAt(block: PlacedL2Header): Sandbox;
  /** Executes a block again, for those who want to watch; @throws `chain/not-found` for the genesis. */
  replay(block: PlacedL2Header, options: ReplayOptions): Promise<void>;
  /** Decodes a user transaction of this chain; @throws `hvm/transaction-invalid`. */
  decode(raw: Uint8Array): UserTransaction;
  /** Proofs that a sequencer sealed a slot twice, from a slot on, at most `count` slots. */
  evidence(from: bigint, count: number): Promise<SlotEvidence[]>;
}

/** What rpc, network and finality see of the L2 chain: its {@link ChainView} at any moment, and how it goes on. */
export interface ChainReader extends ChainView {
  /** Why `finalized` stands still: two super-final branches, of which one was withheld (protocol section 8). */
  conflict(): Conflict | undefined;
  /** The block that the operator vouches for. */
  readonly checkpoint: Checkpoint | undefined;
  /** Calls `listener` after each change of the canonical chain, of its labels or of the conflict; @returns an unsubscribe. */
  onHead(listener: (change: HeadChange) => void): () => void;
}
