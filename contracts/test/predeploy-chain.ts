import { Common, Hardfork, Mainnet } from '@ethereumjs/common';
import type { CustomPrecompile } from '@ethereumjs/evm';
import { Account, createAddressFromString, hexToBytes } from '@ethereumjs/util';
import { createVM } from '@ethereumjs/vm';
import {
  type Abi,
  type Address,
  bytesToHex,
  decodeErrorResult,
  decodeEventLog,
  decodeFunctionResult,
  encodeFunctionData,
  type Hex,
  padHex,
} from 'viem';
import { bitcoinKit, type Contract, depositCaller, feeVault, popReward, tunnel, wrappedHbtc } from '../src/index.ts';

export const SYSTEM: Address = '0x8888888888888888888888888888888888888888';
export const TUNNEL: Address = '0x4200000000000000000000000000000000000100';
export const DEPOSIT_CALLER: Address = '0x4200000000000000000000000000000000000101';
export const BITCOIN_KIT: Address = '0x4200000000000000000000000000000000000102';
export const WRAPPED_HBTC: Address = '0x4200000000000000000000000000000000000103';
export const POP_REWARD: Address = '0x4200000000000000000000000000000000000042';
export const FEE_VAULT: Address = '0x4200000000000000000000000000000000000019';

/** The addresses of the predeploys and the code that a genesis puts there. */
const predeploys: [Address, Contract][] = [
  [TUNNEL, tunnel],
  [DEPOSIT_CALLER, depositCaller],
  [BITCOIN_KIT, bitcoinKit],
  [WRAPPED_HBTC, wrappedHbtc],
  [POP_REWARD, popReward],
  [FEE_VAULT, feeVault],
];

/** A call by name, or `data` for raw calldata. */
export interface Call {
  from: Address;
  to: Address;
  abi?: Abi;
  name?: string;
  args?: unknown[];
  data?: Hex;
  value?: bigint;
  gas?: bigint;
}

/** What a transaction did; `gasUsed` as in a receipt, `error` the name or text of the Solidity error, or the EVM's. */
export interface Outcome {
  ok: boolean;
  error: string | undefined;
  gasUsed: bigint;
  events: { address: Hex; name: string; args: Record<string, unknown> }[];
  output: Hex;
}

/** An Osaka EVM that holds the predeploys as after the genesis, and runs transactions on them one by one. */
export async function createPredeployChain(options: { precompiles?: CustomPrecompile[] } = {}) {
  const common = new Common({ chain: Mainnet, hardfork: Hardfork.Osaka });
  const vm = await createVM({ common, evmOpts: { customPrecompiles: options.precompiles ?? [] } });
  const state = vm.stateManager;
  let time = 0n;
  const abis = predeploys.flatMap(([, contract]) => contract.abi);

  async function balanceOf(address: Address): Promise<bigint> {
    return (await state.getAccount(createAddressFromString(address)))?.balance ?? 0n;
  }

  async function addBalance(address: Address, wei: bigint): Promise<void> {
    const account = (await state.getAccount(createAddressFromString(address))) ?? new Account();
    account.balance += wei;
    await state.putAccount(createAddressFromString(address), account);
  }

  async function setCode(address: Address, code: Hex): Promise<void> {
    await state.putCode(createAddressFromString(address), hexToBytes(code));
  }

  async function setStorage(address: Address, slot: Hex, word: Hex): Promise<void> {
    await state.putStorage(createAddressFromString(address), hexToBytes(slot), hexToBytes(word));
  }

  async function storageAt(address: Address, slot: Hex): Promise<Hex> {
    return padHex(bytesToHex(await state.getStorage(createAddressFromString(address), hexToBytes(slot))), { size: 32 });
  }

  /** Runs a call as a transaction with all its gas costs but no fee; a failed one changes nothing. */
  async function send(call: Call): Promise<Outcome> {
    const data = toData(call);
    const limit = call.gas ?? 1_000_000n;
    const caller = createAddressFromString(call.from);
    const { intrinsic, floor } = calldataGas(data);
    const block = {
      header: { number: 1000n, timestamp: time, coinbase: caller, baseFeePerGas: 1n, gasLimit: 30_000_000n },
    };
    await vm.evm.journal.checkpoint();
    vm.evm.journal.addAlwaysWarmAddress(call.from);
    vm.evm.journal.addAlwaysWarmAddress(call.to);
    const { execResult } = await vm.evm.runCall({
      caller,
      to: createAddressFromString(call.to),
      data: hexToBytes(data),
      value: call.value ?? 0n,
      gasLimit: limit - intrinsic,
      block: block as never,
    });
    const failure = execResult.exceptionError;
    await (failure ? vm.evm.journal.revert() : vm.evm.journal.commit());
    await vm.evm.journal.cleanup();
    state.originalStorageCache.clear();
    const spent = intrinsic + execResult.executionGasUsed;
    const refund = execResult.gasRefund ?? 0n;
    const used = spent - (refund < spent / 5n ? refund : spent / 5n);
    const output = bytesToHex(execResult.returnValue);
    const abi = [...abis, ...(call.abi ?? [])];
    return {
      ok: failure === undefined,
      error: failure && (errorName(abi, output) ?? failure.error),
      gasUsed: used > floor ? used : floor,
      events: (execResult.logs ?? []).map(([address, topics, body]) => {
        const log = { abi, topics: topics.map((topic) => bytesToHex(topic)), data: bytesToHex(body) };
        const event = decodeEventLog(log as never) as { eventName: string; args: Record<string, unknown> };
        return { address: bytesToHex(address), name: event.eventName, args: event.args };
      }),
      output,
    };
  }

  /** A system transaction as the node runs it: its value is minted to the system sender first (protocol section 10). */
  async function system(call: Omit<Call, 'from'>): Promise<Outcome> {
    const value = call.value ?? 0n;
    await addBalance(SYSTEM, value);
    const outcome = await send({ ...call, from: SYSTEM });
    if (!outcome.ok) await addBalance(SYSTEM, -value);
    return outcome;
  }

  /** What a view returns; throws its error's name if it fails. */
  async function read<T>(to: Address, abi: Abi, name: string, args: unknown[] = []): Promise<T> {
    const outcome = await send({ from: padHex('0xca11', { size: 20 }), to, abi, name, args });
    if (!outcome.ok) throw new Error(outcome.error);
    return decodeFunctionResult({ abi, functionName: name, data: outcome.output } as never) as T;
  }

  for (const [address, contract] of predeploys) await setCode(address, contract.deployedBytecode);
  function setTime(seconds: bigint): void {
    time = seconds;
  }
  return { addBalance, balanceOf, read, send, setCode, setStorage, setTime, storageAt, system };
}

export type PredeployChain = Awaited<ReturnType<typeof createPredeployChain>>;

/** Gas before execution, and the floor of EIP-7623. */
function calldataGas(data: Hex): { intrinsic: bigint; floor: bigint } {
  const bytes = hexToBytes(data);
  const zeros = BigInt(bytes.filter((byte) => byte === 0).length);
  const others = BigInt(bytes.length) - zeros;
  return { intrinsic: 21_000n + 4n * zeros + 16n * others, floor: 21_000n + 10n * (zeros + 4n * others) };
}

/** The name of the Solidity error that a call reverted with, or its text; absent if it failed without one. */
function errorName(abi: Abi, output: Hex): string | undefined {
  if (output.length < 10) return undefined;
  const { errorName: name, args } = decodeErrorResult({ abi, data: output });
  return name === 'Error' ? String(args?.[0]) : name;
}

function toData({ abi, name, args, data }: Call): Hex {
  if (data !== undefined || abi === undefined) return data ?? '0x';
  return encodeFunctionData({ abi, functionName: name, args } as never);
}
