import type { Block } from '@ethereumjs/block';
import type { VM } from '@ethereumjs/vm';
import { ATTRIBUTES_TYPE, DEVELOPMENT_TYPE, PAYOUT_TYPE, type SystemEnvelope } from '@hemid/protocol';
import type { StorageWrite } from '../state/write.ts';
import { attributesExecution } from './attributes.ts';
import type { SystemCallResult } from './call.ts';
import { developmentExecution } from './development.ts';
import { payoutExecution } from './payout.ts';
import { tunnelExecution } from './tunnel.ts';

/** Runs a system transaction. */
export function runSystem(vm: VM, block: Block, transaction: SystemEnvelope): Promise<SystemCallResult> {
  if (transaction.type === ATTRIBUTES_TYPE) return attributesExecution.run(vm, block, transaction);
  if (transaction.type === PAYOUT_TYPE) return payoutExecution.run(vm, block, transaction);
  if (transaction.type === DEVELOPMENT_TYPE) return developmentExecution.run(vm, block, transaction);
  return tunnelExecution.run(vm, block, transaction);
}

/** What the executor writes after a system transaction. */
export function marksOf(transaction: SystemEnvelope, result: SystemCallResult): StorageWrite[] {
  if (transaction.type === ATTRIBUTES_TYPE) return attributesExecution.marks(transaction, result);
  if (transaction.type === PAYOUT_TYPE) return payoutExecution.marks(transaction, result);
  if (transaction.type === DEVELOPMENT_TYPE) return developmentExecution.marks(transaction, result);
  return tunnelExecution.marks(transaction, result);
}
