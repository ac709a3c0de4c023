import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PlacedL2Header } from '@hemid/chain';
import { equal, hashTransaction, isSystemEnvelope } from '@hemid/protocol';
import type { ReadContext } from './context.ts';
import { fail } from './errors.ts';
import { showReceipt } from './receipt-shape.ts';
import { pace } from './trace/pace.ts';
import { showTransaction } from './transaction-shape.ts';

/** A search for the transactions of an address. */
export interface TransactionSearch {
  of: Uint8Array;
  /** 0 begins at the end of the chain. */
  from: bigint;
  pageSize: number;
  direction: 'up' | 'down';
}

const BLOCKS_PER_TURN = 128n;

interface Found {
  transaction: object;
  receipt: object;
}

/** The transactions of a block that are from, to or about an address, as far as receipts tell. */
function searchBlock(block: PlacedL2Header, of: Uint8Array, context: ReadContext): Found[] {
  const { chain, decode } = context;
  const transactions = chain.block(block.hash)?.block.transactions ?? [];
  const receipts = chain.receipts(block.hash) ?? [];
  return transactions.flatMap((raw, index) => {
    const receipt = receipts[index];
    if (receipt === undefined || isSystemEnvelope(raw)) return [];
    const { sender, tx } = decode(raw);
    const isParty = equal(sender, of) || (tx.to !== undefined && equal(tx.to.bytes, of));
    if (!isParty && !receipt.logs.some((log) => equal(log.address, of))) return [];
    const shown = showReceipt({ block, transactions, receipts }, index, context) ?? {};
    return [
      {
        transaction: showTransaction(raw, { block, index, nonce: receipt.nonce }, decode),
        receipt: { ...shown, timestamp: Number(block.header.timestamp) },
      },
    ];
  });
}

/** Searches block by block, at most so many as a search for logs may; whole blocks, so that a page may be longer. */
export async function searchTransactions(search: TransactionSearch, context: ReadContext): Promise<object> {
  const { chain, limits, isOver } = context;
  const head = chain.head('latest').header.number;
  const isUp = search.direction === 'up';
  const step = isUp ? 1n : -1n;
  const start = search.from === 0n ? (isUp ? 0n : head) : search.from + step;
  const txs: object[] = [];
  const receipts: object[] = [];
  let number = start;
  for (let searched = 0n; number >= 0n && number <= head && searched < limits.logBlocks && txs.length < search.pageSize; searched += 1n) {
    if (searched % BLOCKS_PER_TURN === BLOCKS_PER_TURN - 1n) await nextTurn();
    if (isOver()) throw fail('rpc/timeout', 'nobody waits for this search any more');
    const block = chain.headerAt(number);
    const found = block === undefined ? [] : searchBlock(block, search.of, context);
    for (const { transaction, receipt } of isUp ? found : found.reverse()) {
      txs.push(transaction);
      receipts.push(receipt);
    }
    number += step;
  }
  const isAtTop = isUp ? number > head : start === head;
  const isAtBottom = isUp ? start === 0n : number < 0n;
  const isDone = txs.length < search.pageSize && !(isUp ? number > head : number < 0n);
  if (isDone && txs.length === 0) throw fail('rpc/limit', `nothing in ${limits.logBlocks} blocks: ask again from block ${number - step}`);
  return isUp
    ? { txs: txs.reverse(), receipts: receipts.reverse(), firstPage: isAtTop, lastPage: isAtBottom }
    : { txs, receipts, firstPage: isAtTop, lastPage: isAtBottom };
}

/** The first block after which `holds` is true, by halving; `undefined` when it is not true at the head. */
async function firstBlock({ chain }: ReadContext, holds: (block: PlacedL2Header) => Promise<boolean>): Promise<PlacedL2Header | undefined> {
  let high = chain.head('latest');
  if (!(await holds(high))) return undefined;
  let low = 0n;
  while (low < high.header.number) {
    const middle = chain.headerAt((low + high.header.number) / 2n);
    if (middle === undefined) return undefined;
    if (await holds(middle)) high = middle;
    else low = middle.header.number + 1n;
  }
  return high;
}

/** The hash of the transaction of a sender with a nonce. */
export async function findTransactionOf(
  { sender, nonce }: { sender: Uint8Array; nonce: bigint },
  context: ReadContext,
): Promise<Uint8Array | undefined> {
  const { chain, decode } = context;
  const block = await firstBlock(context, async (at) => ((await chain.stateAt(at).account(sender))?.nonce ?? 0n) > nonce);
  const raws = block === undefined ? [] : (chain.block(block.hash)?.block.transactions ?? []);
  const raw = raws.find((one) => {
    if (isSystemEnvelope(one)) return false;
    const { sender: from, tx } = decode(one);
    return equal(from, sender) && tx.nonce === nonce;
  });
  return raw && hashTransaction(raw);
}

/** Who made a contract, and in which transaction. */
export async function findCreator(address: Uint8Array, context: ReadContext): Promise<object | undefined> {
  const { chain, isOver } = context;
  const block = await firstBlock(context, async (at) => (await chain.stateAt(at).code(address)).length > 0);
  if (block === undefined || block.header.number === 0n) return undefined;
  let found: { hash: Uint8Array; creator: Uint8Array } | undefined;
  await chain.replay(block, {
    watch: ({ raw, from }) => ({
      observer: pace(
        {
          exit({ created, error }) {
            if (created !== undefined && error === undefined && equal(created, address)) found = { hash: hashTransaction(raw), creator: from };
          },
        },
        isOver,
      ),
      done: () => undefined,
    }),
  });
  return found;
}
