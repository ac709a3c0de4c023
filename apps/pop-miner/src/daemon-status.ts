import type { PopMinerStatus } from '@hemid/pop-miner';
import type { BitcoinNetwork, Hex } from '@hemid/protocol';
import type { Health } from './health.ts';

/** What the miner tells, and what one that plans its spending tells besides. */
export type MinerStatus = PopMinerStatus & Partial<PlanStatus>;

interface PlanStatus {
  /** Replacements that were broadcast since the start. */
  replacedCount: number;
  /** What a publication would pay now, sats per 1000 vbytes. */
  feeRate: bigint;
  /** Fees of the last 144 blocks and of the mempool; without a limit unless one is set. */
  budget: { limitSats?: bigint; spentSats: bigint };
  /** For how many days the coins last. */
  runwayDays: number;
  /** The keystones that the miner looks at, newest first. */
  queue: readonly { keystone: number; id: string; standing: string; reason?: string; txid?: string; feeRate?: bigint }[];
  /** Those that left the queue without a publication. */
  abandoned: readonly { keystone: number; id: string; reason: string }[];
}

/** What `/status` answers, and `popmd status` shows; as JSON its amounts are numbers. */
export interface DaemonStatus {
  network: BitcoinNetwork;
  /** Where Bitcoin is looked at: bitcoind, esplora or tbc. */
  source: string;
  /** The L2 address that is rewarded. */
  rewarded: Hex;
  health: Health;
  miner: MinerStatus;
}
