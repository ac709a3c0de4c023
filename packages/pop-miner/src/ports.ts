import type { Keystone } from '@hemid/protocol';

/** Where keystones come from: an L2 node, by RPC or in the same process. */
export interface KeystoneSource {
  /** The newest `count` keystones of its canonical chain, newest first; fewer when there are fewer. */
  latest(count: number, signal?: AbortSignal): Promise<Keystone[]>;
  /**
   * The Bitcoin tip that an L2 block names in its extraData, internal order.
   *
   * @throws a `retry` error when the block is not known (any more).
   */
  bitcoinReference(blockHash: Uint8Array, signal?: AbortSignal): Promise<Uint8Array>;
}
