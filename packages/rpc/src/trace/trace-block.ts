import type { PlacedL2Header } from '@hemid/chain';
import { hashTransaction } from '@hemid/protocol';
import type { ReadContext } from '../context.ts';
import { fail } from '../errors.ts';
import { pace } from './pace.ts';
import { openTracer } from './table.ts';
import type { TraceOptions } from './tracer.ts';

/** The trace of one transaction of a block. */
export interface TransactionTrace {
  txHash: Uint8Array;
  result: unknown;
}

/** Traces the transactions of a block, or the one at `only`; @throws `rpc/not-found` for the genesis. */
export async function traceBlock(
  { chain, isOver }: Pick<ReadContext, 'chain' | 'isOver'>,
  { block, only }: { block: PlacedL2Header; only?: number },
  options: TraceOptions,
): Promise<TransactionTrace[]> {
  if (block.header.number === 0n) throw fail('rpc/not-found', 'genesis is not traceable');
  const traces: TransactionTrace[] = [];
  await chain.replay(block, {
    upTo: only,
    async watch({ index, raw, from, to, gasLimit, state }) {
      if (isOver()) throw fail('rpc/timeout', 'nobody waits for this trace any more');
      if (only !== undefined && index !== only) return undefined;
      const txHash = hashTransaction(raw);
      const tracer = await openTracer({ from, to, gasLimit, state, block, place: { hash: txHash, index } }, options);
      return {
        observer: pace(tracer.observer, isOver),
        async done(result) {
          traces.push({ txHash, result: await tracer.result(result) });
        },
      };
    },
  });
  return traces;
}
