import { setImmediate as nextTurn } from 'node:timers/promises';
import { simulateBlocks } from '@hemid/hvm';
import { z } from 'zod';
import { blockIdOrLatest, getBlockHeader } from '../block-id.ts';
import { callObject, toSimulatedCall } from '../call-message.ts';
import { fail } from '../errors.ts';
import { longRead, type MethodTable } from '../method.ts';
import { blockOverrides, stateOverrides } from '../override-param.ts';
import { simulatedBlockResult } from '../result/call.ts';
import { showSimulatedBlock } from '../simulated-block-shape.ts';

const MAX_CALLS = 1000;
/** Roots can be taken cheaply only near the head. */
const MAX_DEPTH = 1024n;

const flag = z.boolean().nullish();
const block = z.object({
  blockOverrides: blockOverrides.nullish(),
  stateOverrides: stateOverrides.nullish(),
  calls: z.array(callObject).max(MAX_CALLS, `must be at most ${MAX_CALLS} calls`).nullish(),
});
const request = z.object({
  blockStateCalls: z.array(block).min(1, 'must not be empty'),
  traceTransfers: flag,
  validation: flag,
  returnFullTransactions: flag,
});

/** Blocks that are tried out. */
export const ethSimulate: MethodTable = {
  eth_simulateV1: longRead({
    doc: 'What blocks of calls would do on top of a block at most 1024 below the head, with state and block fields as the caller wants them; 50 million gas in all unless the node is configured otherwise.',
    result: z.array(simulatedBlockResult),
    params: { request, block: blockIdOrLatest },
    async handle(values, { chain, limits, isOver }) {
      const base = getBlockHeader(chain, values.block);
      const depth = chain.head('latest').header.number - base.header.number;
      if (depth > MAX_DEPTH)
        throw fail('rpc/limit', `block ${base.header.number} is ${depth} below the head: ask for one at most ${MAX_DEPTH} below`);
      const { blockStateCalls, traceTransfers, validation, returnFullTransactions } = values.request;
      const simulated = await simulateBlocks(chain.sandboxAt(base), {
        blocks: blockStateCalls.map(({ blockOverrides: overrides, stateOverrides: state, calls }) => ({
          block: overrides ?? {},
          state: state ?? [],
          calls: (calls ?? []).map(toSimulatedCall),
        })),
        validates: validation === true,
        logsTransfers: traceTransfers === true,
        gasCap: limits.gasCap,
        async pause() {
          await nextTurn();
          if (isOver()) throw fail('rpc/timeout', 'nobody waits for these blocks any more');
        },
      });
      return simulated.map((one) => showSimulatedBlock(one, returnFullTransactions === true ? 'objects' : 'hashes'));
    },
  }),
};
