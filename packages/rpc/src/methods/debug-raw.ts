import type { PlacedL2Header } from '@hemid/chain';
import { encodeConsensusReceipt, encodeHeader, type Receipt } from '@hemid/protocol';
import { z } from 'zod';
import { type BlockId, blockId, getBlockHeader } from '../block-id.ts';
import { encodeBlock } from '../block-rlp.ts';
import type { RpcContext } from '../context.ts';
import { fail } from '../errors.ts';
import { type MethodTable, method } from '../method.ts';
import { hash } from '../param.ts';
import { hexBytes } from '../result/scalar.ts';

function getBlock(id: BlockId, { chain }: RpcContext) {
  const placed: PlacedL2Header = getBlockHeader(chain, id);
  const sealed = chain.block(placed.hash);
  if (sealed === undefined) throw fail('rpc/not-found', 'block not found');
  return { placed, block: sealed.block };
}

/** A receipt as its root commits to it; one of another chain may bring its own bytes. */
const encodeReceipt = (receipt: Receipt & { encoded?: Uint8Array }): Uint8Array => receipt.encoded ?? encodeConsensusReceipt(receipt);

/** Blocks and their parts as bytes. */
export const debugRaw: MethodTable = {
  debug_getRawHeader: method({
    doc: "A block's header as RLP.",
    result: hexBytes,
    params: { block: blockId },
    handle: ({ block }, { chain }) => encodeHeader(getBlockHeader(chain, block).header),
  }),
  debug_getRawBlock: method({
    doc: 'A block as RLP, in the form of Ethereum.',
    result: hexBytes,
    params: { block: blockId },
    handle: ({ block }, context) => encodeBlock(getBlock(block, context).block),
  }),
  debug_getRawReceipts: method({
    doc: 'The receipts of a block, as its receipts root commits to them.',
    result: z.array(hexBytes),
    params: { block: blockId },
    handle: ({ block }, context) => (context.chain.receipts(getBlock(block, context).placed.hash) ?? []).map(encodeReceipt),
  }),
  debug_getRawTransaction: method({
    doc: 'A transaction of the canonical chain or of the pool as it stands in blocks; null when it is not here.',
    result: hexBytes.nullable(),
    params: { hash },
    handle(values, { chain, pool }) {
      const location = chain.transaction(values.hash);
      if (location === undefined) return pool.read(values.hash)?.raw;
      return chain.block(location.blockHash)?.block.transactions[location.index];
    },
  }),
  debug_getBadBlocks: method({
    doc: 'Always empty: blocks that break a rule are not kept.',
    result: z.array(z.never()),
    params: {},
    handle: () => [],
  }),
};
