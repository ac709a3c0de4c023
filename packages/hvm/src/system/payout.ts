import { decodePayout, type PayoutTransaction, POP_REWARD_ADDRESS, paidSlot } from '@hemid/protocol';
import { runSystemCall } from './call.ts';
import { ONE, type SystemExecution } from './transaction.ts';

/** 0x7D: the keystone is marked paid whatever the receipt says, so that it is paid at most once (protocol section 9). */
export const payoutExecution: SystemExecution<PayoutTransaction> = {
  run: (vm, block, transaction) =>
    runSystemCall(vm, block, { to: POP_REWARD_ADDRESS, gas: transaction.gas, data: transaction.data, mint: 0n, value: 0n }),
  marks: (transaction) => [{ address: POP_REWARD_ADDRESS, slot: paidSlot(decodePayout(transaction.data).blockRewarded), value: ONE }],
};
