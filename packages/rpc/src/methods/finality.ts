import type { ChainReader, PlacedL2Header } from '@hemid/chain';
import { toDisplay } from '@hemid/protocol';
import { z } from 'zod';
import { blockNumber, readBlockHeader } from '../block-id.ts';
import type { RpcContext } from '../context.ts';
import { fail } from '../errors.ts';
import { showHeads, showPublication } from '../heads.ts';
import { showKeystoneFinality } from '../keystone-finality.ts';
import { type MethodTable, method } from '../method.ts';
import { hash } from '../param.ts';
import { finalityResult, headsResult, keystoneFinalityResult } from '../result/finality.ts';
import { hemiExamples } from './hemi-example.ts';

const what = z.union(
  [hash, blockNumber],
  'must be a block number, one of "latest", "safe", "finalized", "earliest", "pending", a block hash, or a transaction hash',
);

/** The canonical block that is asked for, or that holds the transaction. @throws `rpc/not-found` */
function find(chain: ChainReader, id: z.output<typeof what>): PlacedL2Header {
  const location = id instanceof Uint8Array ? chain.transaction(id) : undefined;
  const placed = id instanceof Uint8Array ? chain.header(location?.blockHash ?? id) : readBlockHeader(chain, id);
  if (placed === undefined) throw fail('rpc/not-found', 'no block and no transaction of the canonical chain goes by that name');
  if (!chain.isCanonical(placed)) throw fail('rpc/not-found', 'the block is not on the canonical chain: it has no finality');
  return placed;
}

const nameOf = ({ header, hash }: PlacedL2Header): object => ({ number: header.number, hash });

function statusOf(confirmations: number | undefined, { super: superFinal, ultra }: { super: number; ultra: number }): string {
  if (confirmations === undefined) return 'unpublished';
  if (confirmations < 1) return 'published';
  return confirmations < superFinal ? 'safe' : confirmations < ultra ? 'super' : 'ultra';
}

async function finalityOf(id: z.output<typeof what>, { chain, finality }: RpcContext) {
  const block = find(chain, id);
  const thresholds = chain.spec.genesis.finality;
  const { keystone, best, tip } = await finality.of(block);
  return {
    block: nameOf(block),
    status: statusOf(best?.confirmations, thresholds),
    confirmations: best?.confirmations ?? null,
    thresholds,
    keystone: keystone === undefined ? null : nameOf(keystone),
    publication: best === undefined ? null : showPublication(best),
    bitcoinTip: { height: tip.height, hash: toDisplay(tip.hash) },
  };
}

/** How deep a block stands in Bitcoin (protocol sections 8 and 12). */
export const finality: MethodTable = {
  hemi_getFinality: method({
    doc: 'Effective confirmations of a block or transaction, the publication they come from, and what they amount to: unpublished, published, safe, super or ultra.',
    result: finalityResult,
    example: hemiExamples.hemi_getFinality,
    params: { block: what },
    handle: ({ block }, context) => finalityOf(block, context),
  }),
  hemi_getHeads: method({
    doc: 'The heads by their labels (latest, safe, finalized), with the publication that makes each so.',
    result: headsResult,
    example: hemiExamples.hemi_getHeads,
    params: {},
    handle: (_, { chain, finality }) => showHeads(chain, finality),
  }),
  optimism_btcFinalityByBlockHash: method({
    doc: "Finality of the first keystone at or above a block, in the public network's form; an error while there is none.",
    result: keystoneFinalityResult,
    params: { hash },
    async handle(values, context) {
      const { chain } = context;
      const { keystone, best } = await context.finality.of(find(chain, values.hash));
      if (keystone === undefined) throw fail('rpc/not-found', 'the keystone at or above this block is not built yet');
      if (best === undefined || best.confirmations < 1) {
        throw fail('rpc/not-found', 'no keystone at or above this block is published in Bitcoin yet');
      }
      return showKeystoneFinality(chain, { keystone, best });
    },
  }),
};
