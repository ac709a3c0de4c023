import { gethWords, readRevertReason } from '../call-failure.ts';
import { type CallNode, createCallTree } from './call-tree.ts';
import type { TracerFactory } from './tracer.ts';

const WITHOUT_VALUE = new Set(['STATICCALL', 'DELEGATECALL']);

function showNode(node: CallNode, { withLogs, onlyTop }: { withLogs: boolean; onlyTop: boolean }): object {
  const { kind, from, to, gas, gasUsed, input, output, value, error, calls, logs } = node;
  return {
    type: kind,
    from,
    to,
    gas,
    gasUsed,
    input,
    output: output.length === 0 ? undefined : output,
    error: error === undefined ? undefined : error === 'revert' ? 'execution reverted' : gethWords(error),
    revertReason: error === 'revert' ? readRevertReason(output) : undefined,
    value: WITHOUT_VALUE.has(kind) ? undefined : value,
    calls: onlyTop || calls.length === 0 ? undefined : calls.map((call) => showNode(call, { withLogs, onlyTop })),
    logs: withLogs && logs.length > 0 ? logs.map((log) => ({ ...log, position: BigInt(log.position) })) : undefined,
  };
}

/** The calls of a transaction as a tree, as geth's `callTracer` shows them; settings `withLog` and `onlyTopCall`. */
export const callTracer: TracerFactory = (traced, { tracerConfig, spend }) => {
  const tree = createCallTree(traced, spend);
  const shown = { withLogs: tracerConfig['withLog'] === true, onlyTop: tracerConfig['onlyTopCall'] === true };
  return { observer: tree.observer, result: (done) => showNode(tree.root(done), shown) };
};
