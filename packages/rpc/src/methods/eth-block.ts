import type { PlacedL2Header } from '@hemid/chain';
import { z } from 'zod';
import { type BlockId, blockId, blockNumber, readBlockHeader } from '../block-id.ts';
import type { ForeignBlock } from '../block-rlp.ts';
import { showHeader } from '../block-shape.ts';
import type { RpcContext } from '../context.ts';
import { type MethodTable, method } from '../method.ts';
import { count, hash } from '../param.ts';
import { blockResult, headerResult } from '../result/block.ts';
import { receiptResult } from '../result/receipt.ts';
import { hexQuantity } from '../result/scalar.ts';
import type { JsonText } from '../wire.ts';

const hydrated = z.boolean('must be true (whole transactions) or false (hashes)').default(false);

const show = (placed: PlacedL2Header | undefined, isHydrated: boolean, { texts }: RpcContext): JsonText | undefined =>
  placed && texts.block(placed, isHydrated ? 'objects' : 'hashes');

function countTransactions(id: BlockId, { chain }: RpcContext): bigint | undefined {
  const placed = readBlockHeader(chain, id);
  const sealed = placed && chain.block(placed.hash);
  return sealed && BigInt(sealed.block.transactions.length);
}

function countUncles(id: BlockId, { chain }: RpcContext): bigint | undefined {
  const placed = readBlockHeader(chain, id);
  const block: ForeignBlock | undefined = placed && chain.block(placed.hash)?.block;
  return block && BigInt(block.ommers?.length ?? 0);
}

/** Blocks; null for one that is not here. */
export const ethBlock: MethodTable = {
  eth_getBlockByNumber: method({
    doc: 'A block of the canonical chain.',
    result: blockResult.nullable(),
    params: { block: blockNumber, hydrated },
    handle: (values, context) => show(readBlockHeader(context.chain, values.block), values.hydrated, context),
  }),
  eth_getBlockByHash: method({
    doc: 'A block, canonical or not.',
    result: blockResult.nullable(),
    params: { hash, hydrated },
    handle: (values, context) => show(context.chain.header(values.hash), values.hydrated, context),
  }),
  eth_getBlockTransactionCountByNumber: method({
    doc: 'How many transactions a block of the canonical chain has.',
    result: hexQuantity.nullable(),
    params: { block: blockNumber },
    handle: ({ block }, context) => countTransactions(block, context),
  }),
  eth_getBlockTransactionCountByHash: method({
    doc: 'How many transactions a block has.',
    result: hexQuantity.nullable(),
    params: { hash },
    handle: (values, context) => countTransactions({ hash: values.hash, requireCanonical: false }, context),
  }),
  eth_getHeaderByNumber: method({
    doc: 'A header of the canonical chain.',
    result: headerResult.nullable(),
    params: { block: blockNumber },
    handle({ block }, { chain }) {
      const placed = readBlockHeader(chain, block);
      return placed && showHeader(placed);
    },
  }),
  eth_getHeaderByHash: method({
    doc: 'A header, canonical or not.',
    result: headerResult.nullable(),
    params: { hash },
    handle(values, { chain }) {
      const placed = chain.header(values.hash);
      return placed && showHeader(placed);
    },
  }),
  eth_getUncleCountByBlockNumber: method({
    doc: 'How many uncles a block of the canonical chain has: none.',
    result: hexQuantity.nullable(),
    params: { block: blockNumber },
    handle: ({ block }, context) => countUncles(block, context),
  }),
  eth_getUncleCountByBlockHash: method({
    doc: 'How many uncles a block has: none.',
    result: hexQuantity.nullable(),
    params: { hash },
    handle: (values, context) => countUncles({ hash: values.hash, requireCanonical: false }, context),
  }),
  eth_getUncleByBlockNumberAndIndex: method({
    doc: 'Always null: there are no uncles.',
    result: z.null(),
    params: { block: blockNumber, index: count },
    handle: () => undefined,
  }),
  eth_getUncleByBlockHashAndIndex: method({
    doc: 'Always null: there are no uncles.',
    result: z.null(),
    params: { hash, index: count },
    handle: () => undefined,
  }),
  eth_getBlockReceipts: method({
    doc: 'All receipts of a block.',
    result: z.array(receiptResult).nullable(),
    params: { block: blockId },
    handle({ block }, { chain, texts }) {
      const placed = readBlockHeader(chain, block);
      return placed && texts.receipts(placed);
    },
  }),
};
