import type { ChainView } from '@hemid/chain';
import { MAX_TRANSACTION_GAS, simulate } from '@hemid/hvm';
import { toHex } from '@hemid/protocol';
import { z } from 'zod';
import { blockIdOrLatest, blockNumber, getBlockHeader } from '../block-id.ts';
import { callObject, toMessage } from '../call-message.ts';
import { fail } from '../errors.ts';
import { longRead, type MethodTable } from '../method.ts';
import { blockOverrides, stateOverrides } from '../override-param.ts';
import { hash } from '../param.ts';
import { blockTraceResult, traceResult } from '../result/trace.ts';
import { pace } from '../trace/pace.ts';
import { openTracer } from '../trace/table.ts';
import { traceBlock } from '../trace/trace-block.ts';
import { traceOptions } from '../trace/trace-param.ts';
import type { Tracer } from '../trace/tracer.ts';

function getLocation(chain: ChainView, transaction: Uint8Array) {
  const location = chain.transaction(transaction);
  const block = location && chain.header(location.blockHash);
  if (location === undefined || block === undefined) throw fail('rpc/not-found', 'transaction not found');
  return { block, only: location.index };
}

const traceCallOptions = z
  .looseObject({ stateOverrides: stateOverrides.nullish(), blockOverrides: blockOverrides.nullish() })
  .nullish()
  .transform((options, context) => {
    const parsed = traceOptions.safeParse(options);
    if (parsed.success)
      return { ...parsed.data, stateOverrides: options?.stateOverrides ?? undefined, blockOverrides: options?.blockOverrides ?? undefined };
    for (const { message, path } of parsed.error.issues) context.addIssue({ code: 'custom', message, path });
    return z.NEVER;
  });

/** Transactions executed again, and watched. */
export const debugTrace: MethodTable = {
  debug_traceTransaction: longRead({
    doc: 'What a transaction of the canonical chain did, opcode by opcode, or as a tracer tells it: callTracer, flatCallTracer, prestateTracer, 4byteTracer, muxTracer.',
    result: traceResult,
    params: { hash, options: traceOptions },
    async handle(values, context) {
      const [trace] = await traceBlock(context, getLocation(context.chain, values.hash), values.options);
      return trace?.result;
    },
  }),
  debug_traceBlockByNumber: longRead({
    doc: 'The traces of all transactions of a block of the canonical chain.',
    result: blockTraceResult,
    params: { block: blockNumber, options: traceOptions },
    handle: ({ block, options }, context) => traceBlock(context, { block: getBlockHeader(context.chain, block) }, options),
  }),
  debug_traceBlockByHash: longRead({
    doc: 'The traces of all transactions of a block.',
    result: blockTraceResult,
    params: { hash, options: traceOptions },
    handle(values, context) {
      const block = context.chain.header(values.hash);
      if (block === undefined) throw fail('rpc/not-found', `block ${toHex(values.hash)} not found`);
      return traceBlock(context, { block }, values.options);
    },
  }),
  debug_traceCall: longRead({
    doc: 'What a message would do on the state of a block, as `debug_traceTransaction` tells it; the options may hold stateOverrides and blockOverrides.',
    result: traceResult,
    params: { call: callObject, block: blockIdOrLatest, options: traceCallOptions },
    async handle({ call, block: id, options }, { chain, isOver, limits }) {
      const block = getBlockHeader(chain, id);
      const { message } = toMessage(call, block.header.baseFeePerGas);
      let tracer: Tracer | undefined;
      const result = await simulate(chain.sandboxAt(block), message, {
        state: options.stateOverrides,
        block: options.blockOverrides,
        gasCap: limits.gasCap < MAX_TRANSACTION_GAS ? limits.gasCap : MAX_TRANSACTION_GAS,
        async watch(state) {
          const { from, to, gas: gasLimit = MAX_TRANSACTION_GAS } = message;
          tracer = await openTracer({ from, to, gasLimit, state, block, place: undefined }, options);
          return pace(tracer.observer, isOver);
        },
      });
      return tracer?.result(result);
    },
  }),
};
