import { runTx } from '@ethereumjs/vm';
import { type BitcoinView, decodeSystemTransaction, isSystemEnvelope, type L2Block, type Log, SYSTEM_ADDRESS } from '@hemid/protocol';
import { type BlockInput, type ExecutionDeps, historyWrite, marksOf, openVm, runSystem, toEvmBlock } from './block-execution.ts';
import { type Observer, observe } from './observation.ts';
import { type FlatState, openFlatState } from './state/flat-state.ts';
import { putWord } from './state/write.ts';
import { decodeUserTransaction } from './user-transaction.ts';

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
  view: BitcoinView;
  ancestorHash: BlockInput['ancestorHash'];
}

/** Executes a block of the chain again on the state before it, each transaction watched as `options` says; nothing is kept. */
export async function replayBlock(deps: ExecutionDeps, input: ReplayInput, options: ReplayOptions): Promise<void> {
  const { header, transactions } = input.block;
  const { common } = deps;
  const state = openFlatState(common, deps.states.source(header.parentHash));
  const vm = await openVm(deps, state, input.view, input.ancestorHash);
  const evmBlock = toEvmBlock(header, common);
  await putWord(state, historyWrite(header));

  async function runOne(raw: Uint8Array, index: number): Promise<void> {
    const system = isSystemEnvelope(raw) ? decodeSystemTransaction(raw) : undefined;
    const user = system === undefined ? decodeUserTransaction(raw, common) : undefined;
    const gasLimit = system?.gas ?? user?.tx.gasLimit ?? 0n;
    const from = user?.sender ?? SYSTEM_ADDRESS;
    const watch = await options.watch({ index, raw, from, to: system?.to ?? user?.tx.to?.bytes, gasLimit, state });
    const stop = watch === undefined ? undefined : observe(vm, watch.observer);
    const result = user === undefined ? await runWatchedSystem() : await runUser(user.tx);
    stop?.();
    await watch?.done(result);

    async function runUser(tx: Parameters<typeof runTx>[1]['tx']): Promise<ReplayedResult> {
      const { execResult, totalGasSpent, receipt } = await runTx(vm, { tx, block: evmBlock, skipHardForkValidation: true, blockGasUsed: 0n });
      const logs = receipt.logs.map(([address, topics, data]) => ({ address, topics, data }));
      const error = execResult.exceptionError?.error as string | undefined;
      return { succeeded: error === undefined, gasUsed: totalGasSpent, error, output: execResult.returnValue, logs };
    }

    async function runWatchedSystem(): Promise<ReplayedResult> {
      if (system === undefined) throw new RangeError('neither a system nor a user transaction');
      const done = await runSystem(vm, evmBlock, system);
      for (const write of marksOf(system, done)) await putWord(state, write);
      return { ...done, error: done.succeeded ? undefined : 'revert', output: new Uint8Array() };
    }
  }

  for (const [index, raw] of transactions.entries()) {
    if (index > (options.upTo ?? transactions.length)) return;
    await runOne(raw, index);
  }
}
