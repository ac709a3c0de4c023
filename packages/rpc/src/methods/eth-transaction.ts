import type { PlacedL2Header } from '@hemid/chain';
import { recoverSenders } from '@hemid/hvm';
import { blockNumber, readBlockHeader } from '../block-id.ts';
import type { RpcContext } from '../context.ts';
import { type MethodTable, method } from '../method.ts';
import { count, data, hash } from '../param.ts';
import { showReceipt } from '../receipt-shape.ts';
import { receiptResult } from '../result/receipt.ts';
import { hexHash } from '../result/scalar.ts';
import { transactionResult } from '../result/transaction.ts';
import { showTransaction, showUserTransaction } from '../transaction-shape.ts';

function showAt(block: PlacedL2Header | undefined, index: number, { chain, decode }: RpcContext): object | undefined {
  const raw = block && chain.block(block.hash)?.block.transactions[index];
  if (block === undefined || raw === undefined) return undefined;
  const nonce = chain.receipts(block.hash)?.[index]?.nonce ?? 0n;
  return showTransaction(raw, { block, index, nonce }, decode);
}

/** The transaction of a call whose parameters nobody has checked yet; what is not hex gives bytes that mean nothing. */
function readRaw(params: unknown): Uint8Array[] {
  const first: unknown = Array.isArray(params) ? params[0] : undefined;
  return typeof first === 'string' && first.startsWith('0x') ? [Buffer.from(first.slice(2), 'hex')] : [];
}

/** Transactions and their receipts; null for one that is not here. */
export const ethTransaction: MethodTable = {
  eth_sendRawTransaction: method({
    doc: 'Takes a signed transaction and gives its hash.',
    result: hexHash,
    params: { transaction: data },
    prepare: (calls) => recoverSenders(calls.flatMap(readRaw)),
    handle: ({ transaction }, { pool }) => pool.submit(transaction),
  }),
  eth_getTransactionByHash: method({
    doc: 'A transaction of the canonical chain, or one that waits for a block.',
    result: transactionResult.nullable(),
    params: { hash },
    handle(values, context) {
      const location = context.chain.transaction(values.hash);
      if (location !== undefined) return showAt(context.chain.header(location.blockHash), location.index, context);
      const waiting = context.pool.read(values.hash);
      return waiting && showUserTransaction(waiting);
    },
  }),
  eth_getTransactionByBlockHashAndIndex: method({
    doc: 'A transaction by its place in a block.',
    result: transactionResult.nullable(),
    params: { blockHash: hash, index: count },
    handle: ({ blockHash, index }, context) => showAt(context.chain.header(blockHash), index, context),
  }),
  eth_getTransactionByBlockNumberAndIndex: method({
    doc: 'A transaction by its place in a block of the canonical chain.',
    result: transactionResult.nullable(),
    params: { block: blockNumber, index: count },
    handle: ({ block, index }, context) => showAt(readBlockHeader(context.chain, block), index, context),
  }),
  eth_getTransactionReceipt: method({
    doc: 'What a transaction of the canonical chain did.',
    result: receiptResult.nullable(),
    params: { hash },
    handle(values, context) {
      const { chain } = context;
      const location = chain.transaction(values.hash);
      const block = location && chain.header(location.blockHash);
      if (location === undefined || block === undefined) return undefined;
      const transactions = chain.block(block.hash)?.block.transactions ?? [];
      const receipts = chain.receipts(block.hash) ?? [];
      return showReceipt({ block, transactions, receipts }, location.index, context);
    },
  }),
};
