import type { Block } from '@ethereumjs/block';
import type { VM } from '@ethereumjs/vm';
import type { SystemEnvelope } from '@hemid/protocol';
import type { StorageWrite } from '../state/write.ts';
import type { SystemCallResult } from './call.ts';

/** How one kind of system transaction is executed: a file of this shape for each type. */
export interface SystemExecution<T extends SystemEnvelope> {
  run(vm: VM, block: Block, transaction: T): Promise<SystemCallResult>;
  /** Storage that the executor writes afterwards, whatever the contract did. */
  marks(transaction: T, result: SystemCallResult): StorageWrite[];
}

/** The word 1. */
export const ONE: Uint8Array = Uint8Array.of(...new Uint8Array(31), 1);
