import { z } from 'zod';
import type { RpcContext } from '../context.ts';
import { fail } from '../errors.ts';
import { type MethodTable, method } from '../method.ts';
import { hexQuantity } from '../result/scalar.ts';
import { amount, developmentOf, seconds, underPrefixes } from './dev-param.ts';

const MAX_BLOCKS = 100_000n;

const blocks = amount.refine((count) => count <= MAX_BLOCKS, `must be at most ${MAX_BLOCKS} blocks`);
/** A timer takes no more than 2^31 milliseconds. */
const interval = amount.refine((value) => value <= 2_000_000n, 'must be at most 2000000 seconds');
const mineOptions = z.union([seconds, z.strictObject({ timestamp: seconds.nullish(), blocks: blocks.nullish() })]);

const mine = method({
  doc: 'Builds blocks at once, `interval` seconds apart.',
  result: z.null(),
  params: { blocks: blocks.optional(), interval: seconds.optional() },
  async handle({ blocks: count = 1n, interval = 0n }, context) {
    const { isOver } = context;
    await developmentOf(context).mine({ count: Number(count), interval: interval === 0n ? undefined : interval, isOver });
  },
});

const setAutomine = method({
  doc: 'Whether each transaction gets a block at once; blocks that come by themselves end either way.',
  result: z.literal(true),
  params: { enabled: z.boolean() },
  handle({ enabled }, context) {
    developmentOf(context).setAutomine(enabled ? 'on' : 'off');
    return true;
  },
});

const getAutomine = method({
  doc: 'Whether each transaction gets a block at once.',
  result: z.boolean(),
  params: {},
  handle: (_, context) => developmentOf(context).automines(),
});

const setIntervalMining = method({
  doc: 'A block every so many seconds (not milliseconds), and no automine; 0 ends it.',
  result: z.literal(true),
  params: { interval },
  handle(values, context) {
    developmentOf(context).setInterval(Number(values.interval));
    return true;
  },
});

const snapshot = method({
  doc: 'Remembers the chain and what waits for a block; gives an id.',
  result: hexQuantity,
  params: {},
  handle: async (_, context) => BigInt(await developmentOf(context).snapshot()),
});

const revert = method({
  doc: 'Takes all blocks since a snapshot back, once; false when there is no such snapshot (any more).',
  result: z.boolean(),
  params: { id: amount },
  handle: ({ id }, context) => developmentOf(context).revert(Number(id)),
});

const increaseTime = method({
  doc: 'Moves the time of the next blocks forward; gives by how many seconds it is shifted in all.',
  result: z.int(),
  params: { seconds },
  handle: (values, context) => Number(developmentOf(context).increaseTime(values.seconds)),
});

const setNextBlockTimestamp = method({
  doc: 'The timestamp of the next block; time runs on from there.',
  result: z.null(),
  params: { timestamp: seconds },
  handle: ({ timestamp }, context) => developmentOf(context).setNextTimestamp(timestamp),
});

/** viem sends the object even when there is nothing in it. */
const resetOptions = z.object({ forking: z.object({ jsonRpcUrl: z.string().nullish(), blockNumber: amount.nullish() }).nullish() });

const reset = method({
  doc: 'Takes all blocks back, and what waits for one, and mines as the network was started; another chain is not forked.',
  result: z.literal(true),
  params: { options: resetOptions.optional() },
  async handle({ options }, context) {
    const { jsonRpcUrl, blockNumber } = options?.forking ?? {};
    if ((jsonRpcUrl ?? blockNumber ?? undefined) !== undefined) {
      throw fail(
        'rpc/fixed',
        'this network is no fork of another chain, and cannot become one: call it without "forking", and it goes back to its genesis',
      );
    }
    await developmentOf(context).reset();
    return true;
  },
});

async function mineOnce(options: z.output<typeof mineOptions> | undefined, context: RpcContext): Promise<string> {
  const { timestamp, blocks: count } = typeof options === 'bigint' ? { timestamp: options, blocks: undefined } : (options ?? {});
  await developmentOf(context).mine({ count: Number(count ?? 1n), timestamp: timestamp ?? undefined, isOver: context.isOver });
  return '0x0';
}

/** When blocks of a development network come, with what time, and back again. */
export const devMining: MethodTable = {
  evm_mine: method({
    doc: 'Builds a block at once, or as many as are asked for, the first with a timestamp if one is given.',
    result: z.literal('0x0'),
    params: { options: mineOptions.optional() },
    handle: ({ options }, context) => mineOnce(options, context),
  }),
  ...underPrefixes(['anvil', 'hardhat'], { mine, getAutomine, reset }),
  ...underPrefixes(['evm', 'anvil'], { setAutomine, setIntervalMining, snapshot, revert, increaseTime, setNextBlockTimestamp }),
  anvil_setBlockTimestampInterval: method({
    doc: 'The timestamp of each block is so many seconds above that of the one before, whatever time it is.',
    result: z.null(),
    params: { seconds },
    handle: (values, context) => developmentOf(context).setSpacing(values.seconds),
  }),
  anvil_removeBlockTimestampInterval: method({
    doc: 'Ends that.',
    result: z.literal(true),
    params: {},
    handle(_, context) {
      developmentOf(context).setSpacing(undefined);
      return true;
    },
  }),
};
