import { type AbiFunction, abiFunction } from './abi.ts';
import { POP_REWARD_ADDRESS } from './predeploy.ts';
import { PAYOUT_TYPE, type PayoutTransaction } from './system-transaction.ts';

/** A keystone's payout (protocol section 9). */
export interface Payout {
  /** Number of the keystone block. */
  blockRewarded: bigint;
  /** In the order they are paid; 20-byte addresses. */
  miners: Uint8Array[];
  /** Reward units (10^-18), one for each miner. */
  amounts: bigint[];
}

const mintPoPRewards: AbiFunction = abiFunction('mintPoPRewards(uint64,address[],uint256[])', ['uint', 'address[]', 'uint[]']);

/** The calldata of `mintPoPRewards`. */
export function encodePayout(payout: Payout): Uint8Array {
  return mintPoPRewards.encode([payout.blockRewarded, payout.miners, payout.amounts]);
}

/** @throws `protocol/encoding` unless it is the canonical encoding. */
export function decodePayout(data: Uint8Array): Payout {
  const [blockRewarded, miners, amounts] = mintPoPRewards.decode(data) as [bigint, Uint8Array[], bigint[]];
  return { blockRewarded, miners, amounts };
}

/** The 0x7D transaction of a payout: gas 100,000 + 60,000 for each payee. */
export function toPayoutTransaction(payout: Payout): PayoutTransaction {
  return {
    type: PAYOUT_TYPE,
    to: POP_REWARD_ADDRESS,
    gas: 100_000n + 60_000n * BigInt(payout.miners.length),
    data: encodePayout(payout),
  };
}
