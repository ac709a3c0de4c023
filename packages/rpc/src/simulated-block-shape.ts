import type { CallOutcome, SimulatedBlock } from '@hemid/hvm';
import { encodeBlock } from './block-rlp.ts';
import { showHeader } from './block-shape.ts';
import { toCallError } from './call-failure.ts';
import { type PlacedLog, showLog } from './log-shape.ts';
import { toRpcError } from './rpc-error.ts';
import { showUserTransaction } from './transaction-shape.ts';

/** The number of a call that failed in the EVM, in a block that is tried out. */
const VM_ERROR = -32015;

function showError(call: CallOutcome): object {
  const error = toRpcError(toCallError(call));
  return call.reverted ? error : { ...error, code: VM_ERROR };
}

function showCall(call: CallOutcome, logs: PlacedLog[]): object {
  return {
    returnData: call.succeeded ? call.output : new Uint8Array(),
    logs: logs.map(showLog),
    gasUsed: call.gasUsed,
    maxUsedGas: call.maxUsedGas,
    status: call.succeeded ? 1n : 0n,
    ...(call.succeeded ? {} : { error: showError(call) }),
  };
}

/** A block that was tried out, as `eth_simulateV1` shows it. */
export function showSimulatedBlock(simulated: SimulatedBlock, transactions: 'hashes' | 'objects'): object {
  const { header, hash, calls } = simulated;
  const block = { header, hash };
  const shown = simulated.transactions.map((transaction, index) =>
    transactions === 'hashes' ? transaction.hash : showUserTransaction(transaction, { block, index, nonce: transaction.tx.nonce }),
  );
  let logIndex = 0;
  const placed = calls.map((call, transactionIndex) =>
    call.logs.map((log): PlacedLog => {
      const transactionHash = simulated.transactions[transactionIndex]?.hash ?? new Uint8Array(32);
      const at = { log, block, transactionHash, transactionIndex, logIndex, removed: false };
      logIndex += 1;
      return at;
    }),
  );
  return {
    ...showHeader(block),
    size: BigInt(encodeBlock({ header, transactions: simulated.transactions.map(({ raw }) => raw) }).length),
    transactions: shown,
    uncles: [],
    withdrawals: [],
    calls: calls.map((call, i) => showCall(call, placed[i] ?? [])),
  };
}
