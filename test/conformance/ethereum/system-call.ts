import type { Block } from '@ethereumjs/block';
import { Address } from '@ethereumjs/util';
import type { VM } from '@ethereumjs/vm';
import { fromHex } from '@hemid/protocol';
import type { Header } from './header.ts';

/** Contracts that blocks call in their own name, by EIP. */
export const BEACON_ROOTS_4788 = fromHex('000f3df6d732807ef1319fb7b8bb8522d0beac02');
export const HISTORY_2935 = fromHex('0000f90827f1c53a10cb7a02335b175320002935');
export const WITHDRAWAL_REQUESTS_7002 = fromHex('00000961ef480eb55e80d19ad83579a64c007002');
export const CONSOLIDATION_REQUESTS_7251 = fromHex('0000bbddc7ce488642fb579f8b00f3a590007251');

const CALLER = new Address(fromHex('fffffffffffffffffffffffffffffffffffffffe'));
const GAS = 30_000_000n;

/** A contract to call, and with what. */
export interface SystemCall {
  to: Uint8Array;
  data: Uint8Array;
}

/** Outcome of a system call: what it returned, or that there was nothing to call, or that it failed. */
export type SystemCallResult = { outcome: 'returned'; value: Uint8Array } | { outcome: 'empty' | 'failed' };

/** Calls a contract as the system address: outside all transactions, free of charge, no nonce moves. */
export async function callAsSystem(vm: VM, block: Block, { to, data }: SystemCall): Promise<SystemCallResult> {
  const { evm, stateManager } = vm;
  const address = new Address(to);
  if ((await stateManager.getCode(address)).length === 0) return { outcome: 'empty' };
  evm.journal.addAlwaysWarmAddress(address.toString());
  const call = { caller: CALLER, origin: CALLER, to: address, data, gasLimit: GAS, gasPrice: 0n, value: 0n };
  const { execResult } = await evm.runCall({ block, ...call, skipNonceIncrement: true });
  await evm.journal.cleanup();
  stateManager.originalStorageCache.clear();
  return execResult.exceptionError === undefined ? { outcome: 'returned', value: execResult.returnValue } : { outcome: 'failed' };
}

/** What a block does before its transactions: it stores the beacon root and its parent's hash. Failure does not matter. */
export async function openWithSystemCalls(vm: VM, block: Block, header: Header): Promise<void> {
  if (header.parentBeaconBlockRoot !== undefined) {
    await callAsSystem(vm, block, { to: BEACON_ROOTS_4788, data: header.parentBeaconBlockRoot });
  }
  if (vm.common.isActivatedEIP(2935)) await callAsSystem(vm, block, { to: HISTORY_2935, data: header.parentHash });
}
