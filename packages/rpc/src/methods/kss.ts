import type { PlacedL2Header } from '@hemid/chain';
import { fromKeystoneId, toKeystoneJson } from '@hemid/protocol';
import type { RpcContext } from '../context.ts';
import { type MethodTable, method } from '../method.ts';
import { count, displayHash } from '../param.ts';

/** Most keystones of one answer. */
const MAX_KEYSTONES = 50;

/** Errors stand inside the result, as on the public network. */
const refuse = (message: string, { clock }: RpcContext) => ({
  keystones: null,
  error: { timestamp: Math.floor(clock.now() / 1000), message },
});

function show(blocks: readonly PlacedL2Header[], { chain }: RpcContext) {
  return { keystones: blocks.map((block) => toKeystoneJson(chain.keystone(block))) };
}

/** Canonical keystone blocks from `number` on, every `step` blocks up or down, as far as there are any. */
function collect(first: bigint, length: number, step: bigint, { chain }: RpcContext): PlacedL2Header[] {
  const blocks: PlacedL2Header[] = [];
  for (let number = first; number > 0n && blocks.length < length; number += step) {
    const block = chain.headerAt(number);
    if (block === undefined) break;
    blocks.push(block);
  }
  return blocks;
}

const periodOf = ({ chain }: RpcContext): bigint => BigInt(chain.spec.genesis.keystonePeriod);

/** Keystones, in the public network's form (protocol sections 6 and 12). */
export const kss: MethodTable = {
  kss_getLatestKeystones: method({
    doc: 'The latest keystones of the canonical chain, newest first, at most 50.',
    params: { count },
    handle(values, context) {
      if (values.count > MAX_KEYSTONES) return refuse('count too large', context);
      const head = context.chain.head('latest').header.number;
      const period = periodOf(context);
      return show(collect(head - (head % period), values.count, -period, context), context);
    },
  }),
  kss_getKeystone: method({
    doc: 'The keystone of an abbreviated hash (display order) and up to `count` later ones, ascending.',
    params: { hash: displayHash, count: count.default(0) },
    handle(values, context) {
      if (values.count > MAX_KEYSTONES) return refuse('count too large', context);
      const block = context.chain.keystoneBlock(fromKeystoneId(values.hash));
      if (block === undefined) return refuse(`keystone not found: ${values.hash}`, context);
      return show(collect(block.header.number, values.count + 1, periodOf(context), context), context);
    },
  }),
};
