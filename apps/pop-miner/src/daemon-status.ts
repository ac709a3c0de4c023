import type { PopMinerStatus } from '@hemid/pop-miner';
import type { BitcoinNetwork, Hex } from '@hemid/protocol';
import type { Health } from './health.ts';

/** What `/status` answers, and `popmd status` shows; as JSON its amounts are numbers. */
export interface DaemonStatus {
  network: BitcoinNetwork;
  /** Where Bitcoin is looked at: bitcoind, esplora or tbc. */
  source: string;
  /** The L2 address that is rewarded. */
  rewarded: Hex;
  health: Health;
  miner: PopMinerStatus;
}
