import { gethWords } from '../call-failure.ts';
import { type CallNode, createCallTree } from './call-tree.ts';
import type { Traced, TracerFactory } from './tracer.ts';

interface FlatCall {
  action: object;
  result: object | null;
  error?: string;
  subtraces: number;
  traceAddress: number[];
  type: 'call' | 'create' | 'suicide';
}

function describe({ kind, from, to, value, gas, input, gasUsed, output }: CallNode): Pick<FlatCall, 'action' | 'result' | 'type'> {
  if (kind === 'SELFDESTRUCT') return { type: 'suicide', action: { address: from, balance: value, refundAddress: to }, result: null };
  if (kind === 'CREATE' || kind === 'CREATE2') {
    const action = { creationMethod: kind.toLowerCase(), from, gas, init: input, value };
    return { type: 'create', action, result: { address: to, code: output, gasUsed } };
  }
  return { type: 'call', action: { callType: kind.toLowerCase(), from, to, gas, input, value }, result: { gasUsed, output } };
}

function* flatten(node: CallNode, traceAddress: number[]): Generator<FlatCall> {
  const { action, result, type } = describe(node);
  const error = node.error === undefined ? {} : { error: node.error === 'revert' ? 'Reverted' : gethWords(node.error) };
  yield {
    action,
    result: node.error === undefined || node.error === 'revert' ? result : null,
    ...error,
    subtraces: node.calls.length,
    traceAddress,
    type,
  };
  for (const [i, call] of node.calls.entries()) yield* flatten(call, [...traceAddress, i]);
}

const placeOf = ({ block, place }: Traced): object => ({
  blockHash: block.hash,
  blockNumber: Number(block.header.number),
  transactionHash: place?.hash,
  transactionPosition: place?.index,
});

/** The calls of a transaction as a list, as `flatCallTracer` (and Parity) shows them. */
export const flatCallTracer: TracerFactory = (traced, { spend }) => {
  const tree = createCallTree(traced, spend);
  return { observer: tree.observer, result: (done) => [...flatten(tree.root(done), [])].map((call) => ({ ...call, ...placeOf(traced) })) };
};
