import { decodeUserTransaction, type ExecutedBlock, recoverSenders } from '@hemid/hvm';
import { isHemidError, type SealedBlock, toHex } from '@hemid/protocol';
import type { BlockArchive } from './block-archive.ts';
import { checkHeader, checkSeal, splitBlock } from './block-rule.ts';
import { checkDerived } from './derived-rule.ts';
import { fail, invalidBlock } from './errors.ts';
import { type PreparationDeps, prepareBlock } from './preparation.ts';

/** Transactions whose senders are recovered by one message to the worker, while those before are executed. */
const RUN = 256;

function inRuns(raws: readonly Uint8Array[]): Uint8Array[][] {
  return Array.from({ length: Math.ceil(raws.length / RUN) }, (_, i) => raws.slice(i * RUN, (i + 1) * RUN));
}

/**
 * Checks a sealed block against every rule by executing it on its parent.
 *
 * @throws `chain/block-invalid` naming the rule; `chain/parent-unknown` and other `retry` errors when data is missing.
 */
export async function verifyBlock(deps: PreparationDeps & { archive: BlockArchive }, sealed: SealedBlock): Promise<ExecutedBlock> {
  const { header, transactions } = sealed.block;
  const parent = deps.archive.readHeader(header.parentHash);
  if (parent === undefined) {
    throw fail('chain/parent-unknown', `the parent ${toHex(header.parentHash)} of block ${header.number} is not here yet`);
  }
  checkSeal(deps.spec, parent.header, sealed);
  const parts = splitBlock(transactions);
  const runs = inRuns(parts.user);
  const recovered = runs.map(recoverSenders);
  const { timestamp, beneficiary } = header;
  const prepared = await prepareBlock(deps, { parent, timestamp, beneficiary, attributes: parts.attributes });
  checkDerived(prepared.derived, parts.derived);
  await prepared.runSystem();
  for (const transaction of parts.development) await asRule('development-transaction', () => prepared.execution.system(transaction));
  for (const [i, run] of runs.entries()) {
    await recovered[i];
    for (const raw of run) {
      await asRule('user-transaction', () => prepared.execution.user(decodeUserTransaction(raw, deps.execution.common)));
    }
  }
  const executed = await prepared.execution.finish();
  checkHeader(executed.block.header, header);
  return executed;
}

async function asRule(rule: 'development-transaction' | 'user-transaction', run: () => Promise<unknown>): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!isHemidError(error, 'hvm/transaction-invalid')) throw error;
    throw invalidBlock(rule, `a ${rule.replace('-', ' ')} cannot be executed: ${error.message}`);
  }
}
