import type { BitcoinNetwork, Keystone } from '@hemid/protocol';
import type { Outlook } from './outlook.ts';

/** Where a keystone's block stands. */
export interface KeystoneOrigin {
  /** The Bitcoin tip that the block names in its extraData, internal order. */
  bitcoinTip: Uint8Array;
  /** When the block was made, by its own timestamp; milliseconds. */
  timeMs: number;
}

/** Where keystones come from: an L2 node, by RPC or in the same process. */
export interface KeystoneSource {
  /** The newest `count` keystones of its canonical chain, newest first; fewer when there are fewer. */
  latest(count: number, signal?: AbortSignal): Promise<Keystone[]>;
  /** What the block of a keystone says. @throws a `retry` error when the block is not known (any more). */
  origin(blockHash: Uint8Array, signal?: AbortSignal): Promise<KeystoneOrigin>;
}

/** What Bitcoin asks for now; rates in sats per 1000 vbytes. */
export interface FeeMarket {
  /** To be mined within `TARGET_BLOCKS` blocks; `undefined` when there is too little to go by. */
  estimate: bigint | undefined;
  /** The least that is relayed now: what a full mempool asks for, never below the relay fee. */
  minimum: bigint;
  /** What a replacement pays above all that it replaces, for its own size (BIP-125, rule 4). */
  incremental: bigint;
}

/** Bitcoin as the miner sees it: a bitcoind, an Esplora server, a TBC node. All methods may throw `retry` errors. */
export interface MinerBitcoin {
  /** A word for logs. */
  readonly name: string;
  /** @throws `bitcoin/wrong-network` (fatal) unless it is on `network`. */
  checkNetwork(network: BitcoinNetwork, signal?: AbortSignal): Promise<void>;
  /**
   * Everything that the miner decides on, at one block of the best chain. `keystoneIds` (abbreviated hashes, display
   * order): whose publications by other miners matter; a source that can only ask for single keystones asks for these.
   */
  look(keystoneIds: readonly string[], signal?: AbortSignal): Promise<Outlook>;
  feeMarket(signal?: AbortSignal): Promise<FeeMarket>;
  /** Hands a raw transaction over. @throws `pop-miner/refused` (retry) with the reason when it is not taken. */
  broadcast(raw: Uint8Array, signal?: AbortSignal): Promise<void>;
}
