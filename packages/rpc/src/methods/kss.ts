import type { PlacedL2Header } from '@hemid/chain';
import { fromKeystoneId, toKeystoneJson } from '@hemid/protocol';
import type { RpcContext } from '../context.ts';
import { errorObject } from '../error-object.ts';
import { collectKeystones, latestKeystones } from '../keystones.ts';
import { type MethodTable, method } from '../method.ts';
import { count, displayHash } from '../param.ts';
import { keystonesResult } from '../result/finality.ts';

/** Most keystones of one answer. */
const MAX_KEYSTONES = 50;

/** Errors stand inside the result, as on the public network. */
const refuse = (message: string, { clock }: RpcContext) => ({
  keystones: null,
  error: errorObject(message, { clock }),
});

function show(blocks: readonly PlacedL2Header[], { chain }: RpcContext) {
  return { keystones: blocks.map((block) => toKeystoneJson(chain.keystone(block))) };
}

/** Keystones, in the public network's form (protocol sections 6 and 12). */
export const kss: MethodTable = {
  kss_getLatestKeystones: method({
    doc: 'The latest keystones of the canonical chain, newest first, at most 50.',
    result: keystonesResult,
    params: { count },
    handle(values, context) {
      if (values.count > MAX_KEYSTONES) return refuse('count too large', context);
      return show(latestKeystones(context.chain, values.count), context);
    },
  }),
  kss_getKeystone: method({
    doc: 'The keystone of an abbreviated hash (display order) and up to `count` later ones, ascending.',
    result: keystonesResult,
    params: { hash: displayHash, count: count.default(0) },
    handle(values, context) {
      if (values.count > MAX_KEYSTONES) return refuse('count too large', context);
      const block = context.chain.keystoneBlock(fromKeystoneId(values.hash));
      if (block === undefined) return refuse(`keystone not found: ${values.hash}`, context);
      return show(collectKeystones(context.chain, { number: block.header.number, direction: 'up' }, values.count + 1), context);
    },
  }),
};
