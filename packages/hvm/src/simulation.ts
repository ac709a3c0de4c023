import { Address } from '@ethereumjs/util';
import { isHemidError, type L2Header, type Log } from '@hemid/protocol';
import { withBlobBaseFee } from './blob-base-fee.ts';
import { toEvmBlock } from './block-opening.ts';
import { fail } from './errors.ts';
import { callInline } from './inline/inline-call.ts';
import { type Message, runMessage, toTransaction } from './message.ts';
import { type Observer, observe } from './observation.ts';
import { type AccountOverride, applyOverrides } from './override.ts';
import type { Sandbox } from './sandbox.ts';
import { type FlatState, openFlatState } from './state/flat-state.ts';
import { MAX_TRANSACTION_GAS } from './user-transaction.ts';

/** What became of a message. */
export interface SimulationResult {
  succeeded: boolean;
  /** Whether it ended by REVERT; then `output` is the revert data. */
  reverted: boolean;
  /** Why it failed, in the EVM's words. */
  error: string | undefined;
  output: Uint8Array;
  gasUsed: bigint;
  logs: Log[];
}

/** Fields of a block that a caller wants to be others. */
export interface BlockOverride extends Partial<Pick<L2Header, 'number' | 'timestamp' | 'gasLimit' | 'beneficiary' | 'mixHash' | 'baseFeePerGas'>> {
  /** Wei per blob gas. */
  blobBaseFee?: bigint | undefined;
}

/** How a message is tried out. */
export interface SimulationOptions {
  /** What the state is made to be first. */
  state?: readonly AccountOverride[] | undefined;
  block?: BlockOverride | undefined;
  /** Watches it run. */
  watch?: ((state: FlatState) => Promise<Observer> | Observer) | undefined;
  /** The most gas, {@link MAX_TRANSACTION_GAS} when left out. */
  gasCap?: bigint | undefined;
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** The same as {@link simulate}, where nothing is to be different or watched, for the messages that most who read contracts send. */
function simulateInline(sandbox: Sandbox, message: Message, gasLimit: bigint): SimulationResult | undefined {
  const { isPrecompile, common, header, hotAt } = sandbox;
  if (isPrecompile === undefined) return undefined;
  return callInline(message, { gasLimit, source: sandbox.source(), header, common, isPrecompile, hotAt });
}

/**
 * Executes a message on a copy of a block's state, in an environment like that block's; nothing is kept.
 *
 * @throws `hvm/transaction-invalid` when the sender cannot pay, with geth's wording.
 */
export async function simulate(sandbox: Sandbox, message: Message, options: SimulationOptions = {}): Promise<SimulationResult> {
  const { common } = sandbox;
  const cap = options.gasCap ?? MAX_TRANSACTION_GAS;
  const gasLimit = least(message.gas ?? cap, cap);
  const isPlain = options.state === undefined && options.block === undefined && options.watch === undefined;
  const inline = isPlain ? simulateInline(sandbox, message, gasLimit) : undefined;
  if (inline !== undefined) return inline;
  const price = message.gasPrice ?? 0n;
  const { blobBaseFee, ...fields } = options.block ?? {};
  const present = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const header = { ...sandbox.header, ...present, ...(price === 0n ? { baseFeePerGas: 0n } : {}) };
  const state = openFlatState(common, sandbox.source());
  const vm = await sandbox.openVm(state, sandbox.ancestorHash);
  if (options.state !== undefined) await applyOverrides(vm, state, options.state);
  const sender = new Address(message.from);
  const account = await state.getAccount(sender);
  const balance = account?.balance ?? 0n;
  const cost = message.value + gasLimit * price;
  if (balance < cost) {
    throw fail('hvm/transaction-invalid', `insufficient funds for gas * price + value: address ${sender.toString()} have ${balance} want ${cost}`);
  }
  const fees = { maxFeePerGas: price, maxPriorityFeePerGas: 0n };
  const tx = toTransaction(message, { common, nonce: account?.nonce ?? 0n, gasLimit, fees });
  const block = withBlobBaseFee(toEvmBlock(header, common), message.blobs?.maxFeePerBlobGas === 0n ? 0n : blobBaseFee);
  const stop = options.watch === undefined ? undefined : observe(vm, await options.watch(state));
  const { execResult, totalGasSpent } = await runMessage(vm, tx, { block, blockGasUsed: 0n });
  stop?.();
  const error = execResult.exceptionError?.error as string | undefined;
  return {
    succeeded: error === undefined,
    reverted: error === 'revert',
    error,
    output: execResult.returnValue,
    gasUsed: totalGasSpent,
    logs: (execResult.logs ?? []).map(([address, topics, data]) => ({ address, topics, data })),
  };
}

/** The least gas with which a message succeeds; its failure if it does not succeed with the most. */
export async function estimateGas(
  sandbox: Sandbox,
  message: Message,
  options: SimulationOptions = {},
): Promise<{ gas: bigint } | { failure: SimulationResult }> {
  const cap = least(message.gas ?? MAX_TRANSACTION_GAS, MAX_TRANSACTION_GAS);
  const attempt = await simulate(sandbox, { ...message, gas: cap }, options);
  if (!attempt.succeeded) return { failure: attempt };
  let low = attempt.gasUsed - 1n;
  let high = cap;
  const tooLow = async (gas: bigint): Promise<boolean> => {
    try {
      return !(await simulate(sandbox, { ...message, gas }, options)).succeeded;
    } catch (error) {
      if (isHemidError(error, 'hvm/transaction-invalid')) return true;
      throw error;
    }
  };
  if (!(await tooLow(attempt.gasUsed))) return { gas: attempt.gasUsed };
  // The first guess that matters: 1/64 is kept back by each call, so a little more than what was used is mostly enough.
  const guess = ((attempt.gasUsed + 2_300n) * 64n) / 63n;
  if (guess < high) {
    if (await tooLow(guess)) low = guess;
    else high = guess;
  }
  // Within 1 % is close enough, as geth has it.
  while (high - low > low / 100n + 1n) {
    const middle = (high + low) / 2n;
    if (await tooLow(middle)) low = middle;
    else high = middle;
  }
  return { gas: high };
}
