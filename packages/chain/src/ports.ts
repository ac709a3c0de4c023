import type { StateReader, StorageWrite } from '@hemid/hvm';
import type { BitcoinTip, BitcoinView, L2Header, SystemTransaction } from '@hemid/protocol';

/** A header with its hash. */
export interface PlacedL2Header {
  header: L2Header;
  hash: Uint8Array;
}

/** All that a {@link Derivation} may look at: the branch of the parent, its state, the block's own Bitcoin view. */
export interface DerivationInput {
  parent: PlacedL2Header;
  number: bigint;
  /** Seconds. */
  timestamp: bigint;
  /** Ancestor-or-self of the parent at a number. */
  ancestor(number: bigint): PlacedL2Header;
  /** State after the parent. */
  state: StateReader;
  view: BitcoinView;
  /** Gas that is left for system transactions. */
  budget: bigint;
}

/** What has to stand in a block. */
export interface Derived {
  /** In this order, within the budget. */
  transactions: SystemTransaction[];
  /** Storage that the executor writes after the block's system transactions. */
  writes: StorageWrite[];
}

/**
 * Says which system transactions are due in a block (house, section 3): a function of its input, the same on every
 * node. Builder and verifier call the same one.
 */
export interface Derivation {
  readonly name: string;
  due(input: DerivationInput): Promise<Derived>;
}

/** Where a keystone was published first, on the node's own best Bitcoin chain; sorts by height, then the rest. */
export interface AnchorPosition {
  height: number;
  txIndex: number;
  vout: number;
}

/** What fork choice asks of Bitcoin (protocol section 8). */
export interface Anchors {
  /** The lowest counting publication of a keystone block, or `undefined` when it has none. */
  position(keystone: PlacedL2Header): Promise<AnchorPosition | undefined>;
  /** The tip that confirmations are counted from, on the node's own best Bitcoin chain. */
  tip(): BitcoinTip;
}
