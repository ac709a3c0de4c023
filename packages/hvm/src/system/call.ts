import type { Block } from '@ethereumjs/block';
import { Account, Address, bytesToUnprefixedHex } from '@ethereumjs/util';
import type { VM } from '@ethereumjs/vm';
import { type Log, SYSTEM_ADDRESS } from '@hemid/protocol';

/** A call by the system address, with all its gas rules (protocol 3.1). */
export interface SystemCall {
  to: Uint8Array;
  gas: bigint;
  data: Uint8Array;
  /** Wei credited to the system address first; undone if the call fails. */
  mint: bigint;
  value: bigint;
}

export interface SystemCallResult {
  succeeded: boolean;
  gasUsed: bigint;
  logs: Log[];
  /** Nonce of the sender before the call. */
  nonce: bigint;
  /** Wei per gas; only a call in the name of an account pays for its gas. */
  effectiveGasPrice?: bigint;
}

const BASE_GAS = 21_000n;
const FLOOR_PER_TOKEN = 10n;
const GAS_PER_TOKEN = 4n;
const REFUND_QUOTIENT = 5n;

const system = new Address(SYSTEM_ADDRESS);

/** Calldata tokens (EIP-7623): a zero byte is one, any other four. */
function tokensOf(data: Uint8Array): bigint {
  return BigInt(data.reduce((sum, byte) => sum + (byte === 0 ? 1 : 4), 0));
}

/** What a call with this data costs before it executes, and at least: the larger of intrinsic gas and floor. */
export function minimumGas(data: Uint8Array): { intrinsic: bigint; floor: bigint } {
  const tokens = tokensOf(data);
  return { intrinsic: BASE_GAS + GAS_PER_TOKEN * tokens, floor: BASE_GAS + FLOOR_PER_TOKEN * tokens };
}

/** Raises the system address's nonce; @returns the nonce before. */
export async function takeSystemNonce(vm: VM): Promise<bigint> {
  const account = (await vm.stateManager.getAccount(system)) ?? new Account();
  const { nonce } = account;
  account.nonce += 1n;
  await vm.evm.journal.putAccount(system, account);
  return nonce;
}

function warm(vm: VM, block: Block, to: Uint8Array): void {
  const { journal, precompiles } = vm.evm;
  for (const address of precompiles.keys()) journal.addAlwaysWarmAddress(address);
  for (const bytes of [SYSTEM_ADDRESS, to, block.header.coinbase.bytes]) {
    journal.addAlwaysWarmAddress(bytesToUnprefixedHex(bytes));
  }
}

/** EIP-6780: accounts made and destroyed in this transaction go. */
async function cleanUp(vm: VM, selfdestruct: Map<string, string> | undefined, created: Set<string> | undefined): Promise<void> {
  for (const address of [...(selfdestruct?.keys() ?? [])].sort()) {
    if (created?.has(address) === true) await vm.evm.journal.deleteAccount(new Address(Uint8Array.from(Buffer.from(address.slice(2), 'hex'))));
  }
}

/**
 * Executes a system call: origin and caller are the system address, gas price 0, base fee the block's own. If it
 * fails everything is undone, the mint too, except nonce and gas.
 */
export async function runSystemCall(vm: VM, block: Block, call: SystemCall): Promise<SystemCallResult> {
  const { journal } = vm.evm;
  const { intrinsic, floor } = minimumGas(call.data);
  await journal.cleanup();
  await journal.checkpoint();
  const nonce = await takeSystemNonce(vm);
  warm(vm, block, call.to);

  await journal.checkpoint();
  const account = (await vm.stateManager.getAccount(system)) ?? new Account();
  account.balance += call.mint;
  await journal.putAccount(system, account);
  const { execResult } = await vm.evm.runCall({
    block,
    caller: system,
    origin: system,
    to: new Address(call.to),
    value: call.value,
    data: call.data,
    gasLimit: call.gas > intrinsic ? call.gas - intrinsic : 0n,
    gasPrice: 0n,
    skipNonceIncrement: true,
  });
  const succeeded = execResult.exceptionError === undefined;
  if (succeeded) {
    await cleanUp(vm, execResult.selfdestruct, execResult.createdAddresses);
    await journal.commit();
  } else {
    await journal.revert();
  }
  await journal.commit();
  await journal.cleanup();
  vm.stateManager.originalStorageCache.clear();

  const spent = intrinsic + execResult.executionGasUsed;
  const refund = execResult.gasRefund ?? 0n;
  const afterRefund = spent - (refund < spent / REFUND_QUOTIENT ? refund : spent / REFUND_QUOTIENT);
  const gasUsed = afterRefund > floor ? afterRefund : floor;
  const logs = succeeded ? (execResult.logs ?? []).map(([address, topics, data]) => ({ address, topics, data })) : [];
  return { succeeded, gasUsed: gasUsed < call.gas ? gasUsed : call.gas, logs, nonce };
}
