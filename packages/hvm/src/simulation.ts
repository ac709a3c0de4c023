import { createTx } from '@ethereumjs/tx';
import { Address } from '@ethereumjs/util';
import { runTx } from '@ethereumjs/vm';
import type { BitcoinView, L2Header, Log } from '@hemid/protocol';
import { isHemidError } from '@hemid/protocol';
import { type BlockInput, type ExecutionDeps, openVm, toEvmBlock } from './block-execution.ts';
import { fail } from './errors.ts';
import { openFlatState } from './state/flat-state.ts';
import { MAX_TRANSACTION_GAS } from './user-transaction.ts';

/** A message to try out against the state of a block (eth_call, eth_estimateGas). */
export interface Message {
  /** 20 bytes; zeros when it does not matter. */
  from: Uint8Array;
  /** `undefined` creates a contract. */
  to: Uint8Array | undefined;
  data: Uint8Array;
  value: bigint;
  /** Gas limit; at most {@link MAX_TRANSACTION_GAS}. */
  gas: bigint | undefined;
  /** Wei; without it the base fee is taken as zero, as geth does. */
  gasPrice: bigint | undefined;
}

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

/** Where a message is tried out: on the state after `header`, in an environment like that block's. */
export interface SimulationContext {
  header: L2Header;
  /** Hash of the block. */
  hash: Uint8Array;
  view: BitcoinView;
  ancestorHash: BlockInput['ancestorHash'];
}

/**
 * Executes a message on a copy of a block's state; nothing is kept.
 *
 * @throws `hvm/transaction-invalid` when the sender cannot pay, with geth's wording.
 */
export async function simulate(deps: ExecutionDeps, context: SimulationContext, message: Message): Promise<SimulationResult> {
  const gasLimit = message.gas === undefined || message.gas > MAX_TRANSACTION_GAS ? MAX_TRANSACTION_GAS : message.gas;
  const price = message.gasPrice ?? 0n;
  const header = price === 0n ? { ...context.header, baseFeePerGas: 0n } : context.header;
  const state = openFlatState(deps.common, deps.states.source(context.hash));
  const vm = await openVm(deps, state, context.view, context.ancestorHash);
  const sender = new Address(message.from);
  const balance = (await state.getAccount(sender))?.balance ?? 0n;
  const cost = message.value + gasLimit * price;
  if (balance < cost) {
    throw fail('hvm/transaction-invalid', `insufficient funds for gas * price + value: address ${sender.toString()} have ${balance} want ${cost}`);
  }
  const fields = {
    type: 2,
    chainId: deps.common.chainId(),
    gasLimit,
    maxFeePerGas: price,
    maxPriorityFeePerGas: 0n,
    value: message.value,
    data: message.data,
    ...(message.to === undefined ? {} : { to: new Address(message.to) }),
  };
  try {
    const tx = createTx(fields, { common: deps.common, freeze: false });
    tx.getSenderAddress = () => sender;
    const { execResult, totalGasSpent } = await runTx(vm, {
      tx,
      block: toEvmBlock(header, deps.common),
      skipNonce: true,
      skipHardForkValidation: true,
      skipBlockGasLimitValidation: true,
      blockGasUsed: 0n,
    });
    const error = execResult.exceptionError?.error as string | undefined;
    return {
      succeeded: error === undefined,
      reverted: error === 'revert',
      error,
      output: execResult.returnValue,
      gasUsed: totalGasSpent,
      logs: (execResult.logs ?? []).map(([address, topics, data]) => ({ address, topics, data })),
    };
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    if (isHemidError(cause) || !/INTRINSIC_GAS_TOO_LOW|not EOA|initcode size/.test(text)) throw cause;
    if (text.startsWith('INTRINSIC_GAS_TOO_LOW')) throw fail('hvm/transaction-invalid', 'intrinsic gas too low', { cause });
    throw fail('hvm/transaction-invalid', text.split(' (vm')[0] ?? text, { cause });
  }
}

/** The least gas with which a message succeeds; its failure if it does not succeed with the most. */
export async function estimateGas(
  deps: ExecutionDeps,
  context: SimulationContext,
  message: Message,
): Promise<{ gas: bigint } | { failure: SimulationResult }> {
  const cap = message.gas === undefined || message.gas > MAX_TRANSACTION_GAS ? MAX_TRANSACTION_GAS : message.gas;
  const attempt = await simulate(deps, context, { ...message, gas: cap });
  if (!attempt.succeeded) return { failure: attempt };
  let low = attempt.gasUsed - 1n;
  let high = cap;
  const tooLow = async (gas: bigint): Promise<boolean> => {
    try {
      return !(await simulate(deps, context, { ...message, gas })).succeeded;
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
