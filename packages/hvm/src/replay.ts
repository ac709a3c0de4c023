import type { Block } from '@ethereumjs/block';
import { runTx, type VM } from '@ethereumjs/vm';
import {
  type BitcoinView,
  DEVELOPMENT_TYPE,
  decodeSystemTransaction,
  isSystemEnvelope,
  type L2Block,
  type L2Header,
  type Log,
  SYSTEM_ADDRESS,
  type SystemEnvelope,
} from '@hemid/protocol';
import { type BlockInput, type ExecutionDeps, openingWrites, openVm, toEvmBlock } from './block-opening.ts';
import { type Observer, observe } from './observation.ts';
import { type FlatState, openFlatState } from './state/flat-state.ts';
import { putWord } from './state/write.ts';
import { marksOf, runSystem } from './system/run.ts';
import { decodeUserTransaction, type UserTransaction } from './user-transaction.ts';

/** A transaction of a block that is executed again. */
export interface ReplayedTransaction {
  index: number;
  raw: Uint8Array;
  from: Uint8Array;
  to: Uint8Array | undefined;
  gasLimit: bigint;
  /** The state before it. */
  state: FlatState;
}

/** What it came to. */
export interface ReplayedResult {
  succeeded: boolean;
  gasUsed: bigint;
  /** In the EVM's words. */
  error: string | undefined;
  output: Uint8Array;
  logs: Log[];
}

/** Watches one transaction, and is told what it came to. */
export interface Watch {
  observer: Observer;
  done(result: ReplayedResult): Promise<void> | void;
}

/** How a block is executed again. */
export interface ReplayOptions {
  /** The last transaction that is run. */
  upTo?: number | undefined;
  /** How a transaction is watched; `undefined`: not at all. */
  watch(transaction: ReplayedTransaction): Promise<Watch | undefined> | Watch | undefined;
}

/** A block with what it was executed on. */
export interface ReplayInput {
  block: L2Block;
  /** Header of the block below. */
  parent: L2Header;
  view: BitcoinView;
  ancestorHash: BlockInput['ancestorHash'];
}

/** What transactions of a replayed block run in. */
interface Replay {
  deps: ExecutionDeps;
  state: FlatState;
  vm: VM;
  evmBlock: Block;
}

async function runUser({ vm, evmBlock }: Replay, { tx }: UserTransaction): Promise<ReplayedResult> {
  const { execResult, totalGasSpent, receipt } = await runTx(vm, { tx, block: evmBlock, skipHardForkValidation: true, blockGasUsed: 0n });
  const logs = receipt.logs.map(([address, topics, data]) => ({ address, topics, data }));
  const error = execResult.exceptionError?.error as string | undefined;
  return { succeeded: error === undefined, gasUsed: totalGasSpent, error, output: execResult.returnValue, logs };
}

async function runSystemAgain({ vm, evmBlock, state }: Replay, transaction: SystemEnvelope): Promise<ReplayedResult> {
  const done = await runSystem(vm, evmBlock, transaction);
  for (const write of marksOf(transaction, done)) await putWord(state, write);
  return { ...done, error: done.succeeded ? undefined : 'revert', output: new Uint8Array() };
}

/** A transaction of a block, with who sends it to whom and how it is run. */
function open(replay: Replay, raw: Uint8Array) {
  if (isSystemEnvelope(raw)) {
    const system = decodeSystemTransaction(raw);
    const from = system.type === DEVELOPMENT_TYPE && system.gas > 0n ? system.from : SYSTEM_ADDRESS;
    return { from, to: system.to, gasLimit: system.gas, run: () => runSystemAgain(replay, system) };
  }
  const user = decodeUserTransaction(raw, replay.deps.common);
  return { from: user.sender, to: user.tx.to?.bytes, gasLimit: user.tx.gasLimit, run: () => runUser(replay, user) };
}

/** Executes a block of the chain again on the state before it, each transaction watched as `options` says; nothing is kept. */
export async function replayBlock(deps: ExecutionDeps, input: ReplayInput, options: ReplayOptions): Promise<void> {
  const { header, transactions } = input.block;
  const state = openFlatState(deps.common, deps.states.source(header.parentHash));
  const vm = await openVm(deps, state, input.view, input.ancestorHash);
  const replay: Replay = { deps, state, vm, evmBlock: toEvmBlock(header, deps.common) };
  for (const write of openingWrites(deps.spec, { parent: input.parent, header })) await putWord(state, write);
  for (const [index, raw] of transactions.entries()) {
    if (index > (options.upTo ?? transactions.length)) return;
    const { run, ...transaction } = open(replay, raw);
    const watch = await options.watch({ index, raw, state, ...transaction });
    const stop = watch === undefined ? undefined : observe(vm, watch.observer);
    const result = await run();
    stop?.();
    await watch?.done(result);
  }
}
