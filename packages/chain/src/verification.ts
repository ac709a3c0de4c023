import { decodeUserTransaction, type ExecutedBlock, recoverSenders } from '@hemid/hvm';
import { isHemidError, type SealedBlock, toHex } from '@hemid/protocol';
import type { BlockArchive } from './block-archive.ts';
import { checkHeader, checkSeal, splitBlock } from './block-rule.ts';
import { checkDerived } from './derived-rule.ts';
import { fail, invalidBlock } from './errors.ts';
import { type PreparationDeps, type PreparedBlock, prepareBlock } from './preparation.ts';

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
  for (const [i, run] of runs.entries()) {
    await recovered[i];
    for (const raw of run) await runUser(deps, prepared, raw);
  }
  const executed = await prepared.execution.finish();
  checkHeader(executed.block.header, header);
  return executed;
}

async function runUser({ execution }: PreparationDeps, prepared: PreparedBlock, raw: Uint8Array): Promise<void> {
  try {
    await prepared.execution.user(decodeUserTransaction(raw, execution.common));
  } catch (error) {
    if (!isHemidError(error, 'hvm/transaction-invalid')) throw error;
    throw invalidBlock('user-transaction', `a user transaction cannot be executed: ${error.message}`);
  }
}
