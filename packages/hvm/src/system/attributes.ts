import type { AttributesTransaction } from '@hemid/protocol';
import { minimumGas, takeSystemNonce } from './call.ts';
import type { SystemExecution } from './transaction.ts';

/**
 * 0x7C: its effect, the new Bitcoin view, is there before the block executes. What is left is a transfer of nothing
 * by the system address to itself. It never fails for gas: its cost is cut to its limit (protocol 4.1).
 */
export const attributesExecution: SystemExecution<AttributesTransaction> = {
  async run(vm, _block, transaction) {
    const { intrinsic, floor } = minimumGas(transaction.data);
    const cost = intrinsic > floor ? intrinsic : floor;
    await vm.evm.journal.cleanup();
    const nonce = await takeSystemNonce(vm);
    await vm.evm.journal.cleanup();
    return { succeeded: true, gasUsed: cost < transaction.gas ? cost : transaction.gas, logs: [], nonce };
  },
  marks: () => [],
};
