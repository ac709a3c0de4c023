import type { PlacedL2Header } from '@hemid/chain';
import { z } from 'zod';
import { blockNumber, getBlockHeader, readBlockHeader } from '../block-id.ts';
import { showBlock, showHeader } from '../block-shape.ts';
import type { ReadContext } from '../context.ts';
import { fail } from '../errors.ts';
import { longRead, type MethodTable, method } from '../method.ts';
import { address, count, hash, quantity } from '../param.ts';
import { showReceipt } from '../receipt-shape.ts';
import { headerResult } from '../result/block.ts';
import { blockDetailsResult, blockPageResult, callsResult, creatorResult, operationsResult, searchResult } from '../result/otterscan.ts';
import { hexBytes, hexHash, jsonCount } from '../result/scalar.ts';
import { createBudget } from '../trace/budget.ts';
import { type CallNode, createCallTree } from '../trace/call-tree.ts';
import { pace } from '../trace/pace.ts';
import { findCreator, findTransactionOf, searchTransactions } from '../transaction-search.ts';

/** The version of Otterscan's own methods that these are. */
const API_LEVEL = 8;
const MAX_PAGE = 25;

const page = count.refine((value) => value >= 1 && value <= MAX_PAGE, `must be 1 to ${MAX_PAGE}`);
const number = z.union([z.int().min(0).transform(BigInt), quantity], 'must be a block number: a number, or a hex quantity');

/** The calls of a transaction, and what it came to. */
async function replayTransaction(transaction: Uint8Array, { chain, isOver }: ReadContext): Promise<{ root: CallNode; output: Uint8Array }> {
  const location = chain.transaction(transaction);
  const block = location && chain.header(location.blockHash);
  if (location === undefined || block === undefined) throw fail('rpc/not-found', 'transaction not found');
  let found: { root: CallNode; output: Uint8Array } | undefined;
  await chain.replay(block, {
    upTo: location.index,
    watch({ index, from, to, gasLimit, state }) {
      if (isOver()) throw fail('rpc/timeout', 'nobody waits for this trace any more');
      if (index !== location.index) return undefined;
      const tree = createCallTree({ from, to, gasLimit, state, block, place: { hash: transaction, index } }, createBudget());
      return {
        observer: pace(tree.observer, isOver),
        done(result) {
          found = { root: tree.root(result), output: result.output };
        },
      };
    },
  });
  if (found === undefined) throw fail('rpc/not-found', 'transaction not found');
  return found;
}

function* nodesOf(node: CallNode, depth: number): Generator<{ node: CallNode; depth: number }> {
  yield { node, depth };
  for (const call of node.calls) yield* nodesOf(call, depth + 1);
}

const OPERATIONS: Record<string, number> = { CALL: 0, SELFDESTRUCT: 1, CREATE: 2, CREATE2: 3 };

/** Calls that move coins or make or end contracts, below the transaction itself. */
function operationsOf(root: CallNode): object[] {
  return [...nodesOf(root, 0)]
    .filter(
      ({ node, depth }) => depth > 0 && node.error === undefined && OPERATIONS[node.kind] !== undefined && (node.kind !== 'CALL' || node.value > 0n),
    )
    .map(({ node }) => ({ type: OPERATIONS[node.kind], from: node.from, to: node.to, value: node.value }));
}

function showDetails(placed: PlacedL2Header, { chain }: ReadContext): object {
  const sealed = chain.block(placed.hash);
  if (sealed === undefined) throw fail('rpc/not-found', 'block not found');
  const { transactions, ...block } = showBlock(placed, sealed.block, { as: 'hashes' }) as { transactions: unknown[] };
  const { header } = placed;
  const tips = (chain.receipts(placed.hash) ?? []).reduce((sum, one) => {
    const tip = one.effectiveGasPrice - (header.baseFeePerGas ?? 0n);
    return sum + (tip > 0n ? tip * one.gasUsed : 0n);
  }, 0n);
  return {
    block: { ...block, transactionCount: transactions.length, logsBloom: null },
    issuance: { blockReward: 0n, uncleReward: 0n, issuance: 0n },
    totalFees: tips + (header.baseFeePerGas ?? 0n) * header.gasUsed,
  };
}

/** What the explorer Otterscan asks for. */
export const otterscan: MethodTable = {
  erigon_getHeaderByNumber: method({
    doc: 'A header of the canonical chain; null when it is not here.',
    result: headerResult.nullable(),
    params: { block: blockNumber },
    handle({ block }, { chain }) {
      const placed = readBlockHeader(chain, block);
      return placed && showHeader(placed);
    },
  }),
  ots_getApiLevel: method({ doc: 'The version of these methods.', result: jsonCount, params: {}, handle: () => API_LEVEL }),
  ots_hasCode: method({
    doc: 'Whether an address is a contract.',
    result: z.boolean(),
    params: { address, block: blockNumber.default({ tag: 'latest' }) },
    handle: async (values, { chain }) => (await chain.stateAt(getBlockHeader(chain, values.block)).code(values.address)).length > 0,
  }),
  ots_getInternalOperations: longRead({
    doc: 'Calls within a transaction that move coins, make contracts or end them.',
    result: operationsResult,
    params: { hash },
    handle: async (values, context) => operationsOf((await replayTransaction(values.hash, context)).root),
  }),
  ots_traceTransaction: longRead({
    doc: 'All calls of a transaction, with their depth.',
    result: callsResult,
    params: { hash },
    async handle(values, context) {
      const { root } = await replayTransaction(values.hash, context);
      return [...nodesOf(root, 0)].map(({ node, depth }) => ({
        type: node.kind,
        depth,
        from: node.from,
        to: node.to,
        value: node.kind === 'STATICCALL' || node.kind === 'DELEGATECALL' ? null : node.value,
        input: node.input,
        output: node.output,
      }));
    },
  }),
  ots_getTransactionError: longRead({
    doc: 'What a transaction reverted with; no bytes when it did not.',
    result: hexBytes,
    params: { hash },
    async handle(values, context) {
      const { root, output } = await replayTransaction(values.hash, context);
      return root.error === 'revert' ? output : new Uint8Array();
    },
  }),
  ots_getBlockDetails: method({
    doc: 'A block without its transactions, how many they are, and what they paid.',
    result: blockDetailsResult,
    params: {
      block: z.union([
        blockNumber,
        z
          .int()
          .min(0)
          .transform((value) => ({ number: BigInt(value) })),
      ]),
    },
    handle: ({ block }, context) => showDetails(getBlockHeader(context.chain, block), context),
  }),
  ots_getBlockDetailsByHash: method({
    doc: 'The same, by hash.',
    result: blockDetailsResult,
    params: { hash },
    handle: (values, context) => showDetails(getBlockHeader(context.chain, { hash: values.hash, requireCanonical: false }), context),
  }),
  ots_getBlockTransactions: method({
    doc: 'A page of the transactions of a block, the last ones first, with their receipts; inputs are cut to the selector.',
    result: blockPageResult,
    params: { block: number, pageNumber: count, pageSize: page },
    handle({ block, pageNumber, pageSize }, context) {
      const placed = getBlockHeader(context.chain, { number: block });
      const sealed = context.chain.block(placed.hash);
      if (sealed === undefined) throw fail('rpc/not-found', 'block not found');
      const receipts = context.chain.receipts(placed.hash) ?? [];
      const { transactions } = sealed.block;
      const full = showBlock(placed, sealed.block, { as: 'objects', receipts, decode: context.decode }) as { transactions: { input: Uint8Array }[] };
      const end = Math.max(0, transactions.length - pageNumber * pageSize);
      const start = Math.max(0, end - pageSize);
      const source = { block: placed, transactions, receipts };
      return {
        fullblock: {
          ...full,
          transactions: full.transactions.slice(start, end).map((one) => ({ ...one, input: one.input.slice(0, 4) })),
          transactionCount: transactions.length,
        },
        receipts: transactions.slice(start, end).map((_, i) => {
          const shown = showReceipt(source, start + i, context);
          return { ...shown, logs: null, logsBloom: null };
        }),
      };
    },
  }),
  ots_searchTransactionsBefore: longRead({
    doc: 'Transactions from, to or about an address below a block (0: from the head), newest first; of the 10,000 blocks searched at once.',
    result: searchResult,
    params: { address, block: number, pageSize: page },
    handle: ({ address: of, block, pageSize }, context) => searchTransactions({ of, from: block, pageSize, direction: 'down' }, context),
  }),
  ots_searchTransactionsAfter: longRead({
    doc: 'The same above a block (0: from the genesis).',
    result: searchResult,
    params: { address, block: number, pageSize: page },
    handle: ({ address: of, block, pageSize }, context) => searchTransactions({ of, from: block, pageSize, direction: 'up' }, context),
  }),
  ots_getTransactionBySenderAndNonce: longRead({
    doc: 'The hash of the transaction that a sender made with a nonce; null when there is none. It needs the states in between.',
    result: hexHash.nullable(),
    params: { sender: address, nonce: number },
    handle: ({ sender, nonce }, context) => findTransactionOf({ sender, nonce }, context),
  }),
  ots_getContractCreator: longRead({
    doc: 'The transaction that made a contract and who sent it; null when it is none, or was there at the genesis. It needs the states in between.',
    result: creatorResult.nullable(),
    params: { address },
    handle: (values, context) => findCreator(values.address, context),
  }),
};
