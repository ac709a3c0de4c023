import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PlacedL2Header } from '@hemid/chain';
import { recoverSenders } from '@hemid/hvm';
import { blockNumber, readBlockHeader } from '../block-id.ts';
import type { RpcContext } from '../context.ts';
import { type MethodTable, method, type Outcome, type Together } from '../method.ts';
import { count, data, hash } from '../param.ts';
import { receiptResult } from '../result/receipt.ts';
import { hexHash } from '../result/scalar.ts';
import { transactionResult } from '../result/transaction.ts';
import { showUserTransaction } from '../transaction-shape.ts';
import type { JsonText } from '../wire.ts';

const showAt = (block: PlacedL2Header | undefined, index: number, { texts }: RpcContext): JsonText | undefined =>
  block && texts.transaction(block, index);

/** The raw transaction of a call, given as it usually is. */
function readRaw(params: unknown): Uint8Array | undefined {
  const [text] = Array.isArray(params) && params.length === 1 ? params : [];
  if (typeof text !== 'string' || !text.startsWith('0x')) return undefined;
  // What is not hex ends the bytes.
  const bytes = Buffer.from(text.slice(2), 'hex');
  return bytes.length * 2 + 2 === text.length ? new Uint8Array(bytes) : undefined;
}

/** Transactions between two turns of others. */
const TURN = 32;

const submitAll: Together<Uint8Array> = {
  read: readRaw,
  async handle(raws, { pool }) {
    await recoverSenders(raws);
    const outcomes: Outcome[] = [];
    for (const [i, raw] of raws.entries()) {
      if (i % TURN === TURN - 1) await nextTurn();
      try {
        outcomes.push({ result: await pool.submit(raw) });
      } catch (error) {
        outcomes.push({ error });
      }
    }
    return outcomes;
  },
};

/** Transactions and their receipts; null for one that is not here. */
export const ethTransaction: MethodTable = {
  eth_sendRawTransaction: method({
    doc: 'Takes a signed transaction and gives its hash.',
    result: hexHash,
    params: { transaction: data },
    together: submitAll as Together,
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
    handle(values, { chain, texts }) {
      const location = chain.transaction(values.hash);
      const block = location && chain.header(location.blockHash);
      return location && block && texts.receipt(block, location.index);
    },
  }),
};
