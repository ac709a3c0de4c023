import { seenSlot, TUNNEL_ADDRESS, type TunnelTransaction, txidOfTunnelTransaction } from '@hemid/protocol';
import { runSystemCall } from './call.ts';
import { ONE, type SystemExecution } from './transaction.ts';

/** 0x7E: if the call fails the executor writes the `seen` mark that Tunnel could not (protocol section 10). */
export const tunnelExecution: SystemExecution<TunnelTransaction> = {
  run: (vm, block, { gas, data, mint, value }) => runSystemCall(vm, block, { to: TUNNEL_ADDRESS, gas, data, mint, value }),
  marks: (transaction, { succeeded }) =>
    succeeded ? [] : [{ address: TUNNEL_ADDRESS, slot: seenSlot(txidOfTunnelTransaction(transaction)), value: ONE }],
};
