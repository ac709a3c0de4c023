import { changesOf } from '@hemid/bitcoin';
import { type BitcoinTransaction, type BitcoinView, equal, MAX_OUTPUTS, readRecipient, rulesAt } from '@hemid/protocol';
import { nextTurn } from '@hemid/runtime';
import type { Store } from '@hemid/store';
import { type ReportDeps, reportDeposit } from './deposit-report.ts';

/** An output to a vault that is credited to nobody. */
export interface RecoverableOutput {
  vout: number;
  valueSats: bigint;
  script: Uint8Array;
  /** Height of the block that spends it, if one does: a batch takes any coin of the vault, and what is owed for it stays owed. */
  spentAt: number | undefined;
}

/** A payment to a vault that credits nobody, or not all of it: to be returned or accounted for by the custodians. */
export interface Recoverable {
  /** Internal order. */
  txid: Uint8Array;
  height: number;
  blockHash: Uint8Array;
  confirmations: number;
  /** `refused`: no deposit; `failed`: its credit failed on L2; `part`: a deposit, but these outputs do not count for it. */
  status: 'refused' | 'failed' | 'part';
  /** The same in a sentence. */
  explanation: string;
  outputs: RecoverableOutput[];
  /** Script of the coin that its first input spent, where the index has it: a hint at who paid, not proof of whom to pay back. */
  sender: Uint8Array | undefined;
  /** The L2 address that it names. */
  recipient: Uint8Array | undefined;
}

/** A stretch of the recovery list, newest first. */
export interface RecoveryPage {
  payments: Recoverable[];
  /** Height from which on downwards the list goes on; `undefined` at its end. */
  next: number | undefined;
}

/** Blocks of one page: each is read as a whole. */
const PAGE_BLOCKS = 16;

/** What a transaction leaves with a vault for nobody, or `undefined`. */
async function readRecoverable(
  deps: ReportDeps,
  transaction: BitcoinTransaction,
  { view, vaults }: { view: BitcoinView; vaults: readonly Uint8Array[] },
): Promise<Recoverable | undefined> {
  const { txid, inputs, isCoinbase } = transaction;
  const paid = transaction.outputs.map((output, vout) => ({ ...output, vout })).filter(({ script }) => vaults.some((vault) => equal(vault, script)));
  if (paid.length === 0) return undefined;
  const { status, explanation, bitcoin } = await reportDeposit(deps, txid);
  const isWhole = status === 'refused' || status === 'failed';
  const isDone = isWhole || status === 'credited' || status === 'claimable';
  const outputs = isWhole ? paid : paid.filter(({ vout }) => vout >= MAX_OUTPUTS);
  if (bitcoin === undefined || !isDone || outputs.length === 0) return undefined;
  const [first] = inputs;
  return {
    txid,
    ...bitcoin,
    status: isWhole ? status : 'part',
    explanation: isWhole ? explanation : `${explanation}, without what it pays the vault behind its first ${MAX_OUTPUTS} outputs`,
    outputs: outputs.map(({ vout, valueSats, script }) => ({ vout, valueSats, script, spentAt: view.output(txid, vout)?.spentAt })),
    sender: first === undefined || isCoinbase ? undefined : view.output(first.txid, first.vout)?.script,
    recipient: readRecipient(transaction.outputs)?.address,
  };
}

/**
 * The recovery list (protocol section 10): payments to the vaults in force, current and former, that are no deposits. Nothing is
 * kept for it: the index knows the blocks that changed what a vault holds, a vault of a later upgrade too.
 */
export async function listRecoverable(deps: ReportDeps & { store: Store }, options: { from: number | undefined }): Promise<RecoveryPage> {
  const { chain, store } = deps;
  const head = chain.head('latest');
  const view = chain.viewAt(head);
  const { vaults } = rulesAt(chain.spec, head.header.timestamp);
  const from = Math.min(options.from ?? view.indexTip.height, view.indexTip.height);
  const changes = await Promise.all(vaults.map((script) => changesOf(store, script, { from, limit: PAGE_BLOCKS + 1 })));
  const heights = [...new Set(changes.flat())].filter((height) => height > view.genesis.height).sort((a, b) => b - a);
  const payments: Recoverable[] = [];
  for (const height of heights.slice(0, PAGE_BLOCKS)) {
    await nextTurn();
    for (const transaction of view.transactionsAt(height).toReversed()) {
      const found = await readRecoverable(deps, transaction, { view, vaults });
      if (found !== undefined) payments.push(found);
    }
  }
  return { payments, next: heights[PAGE_BLOCKS] };
}
