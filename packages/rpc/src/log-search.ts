import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ChainView } from '@hemid/chain';
import { toHex } from '@hemid/protocol';
import { getBlockHeader } from './block-id.ts';
import type { ReadContext } from './context.ts';
import { fail } from './errors.ts';
import type { LogQuery } from './log-filter.ts';
import { createLogTest } from './log-text.ts';
import { type JsonText, jsonText } from './wire.ts';

/** Blocks whose logs are looked at before other work gets its turn, which it gets behind each section of the index too. */
const BLOCKS_PER_TURN = 64;

/** What a search works with. */
type SearchContext = Pick<ReadContext, 'chain' | 'limits' | 'isOver' | 'texts'>;

/**
 * The logs of the canonical chain, or of one block, that are wanted, as a JSON list.
 *
 * @throws `rpc/limit` saying which smaller range to ask for; `rpc/not-found` when the one block is unknown.
 */
export async function findLogs({ chain, limits, isOver, texts }: SearchContext, query: LogQuery): Promise<JsonText> {
  const isWanted = createLogTest(query);
  const found: string[] = [];
  const listOf = (): JsonText => jsonText(`[${found.join(',')}]`);
  if (query.blockHash !== undefined) {
    const block = chain.header(query.blockHash);
    if (block === undefined) throw fail('rpc/not-found', `unknown block ${toHex(query.blockHash)}`);
    for (const log of texts.logs(block)) if (isWanted(log)) found.push(log.json);
    return listOf();
  }
  const { from, to } = readRange(query, { chain, most: limits.logBlocks });
  let steps = 0;
  async function giveTurn(searched: bigint): Promise<void> {
    await nextTurn();
    if (isOver()) throw fail('rpc/timeout', `nobody waits any more: blocks ${from} to ${searched} were searched`);
  }

  for (let next = from; next <= to; ) {
    // All blocks of a part are named at once: a reorg meanwhile does not mix two chains in it.
    const { blocks, end } = chain.logBlocks(query, { from: next, to });
    for (const block of blocks) {
      const { number } = block.header;
      steps += 1;
      if (steps % BLOCKS_PER_TURN === 0) await giveTurn(number - 1n);
      for (const log of texts.logs(block)) if (isWanted(log)) found.push(log.json);
      if (found.length > limits.logs && number > from) {
        throw fail('rpc/limit', `more than ${limits.logs} logs: ask for blocks ${from} to ${number - 1n} first, then from ${number} on`);
      }
    }
    next = end + 1n;
    if (next <= to) await giveTurn(end);
  }
  return listOf();
}

/** The range as numbers. */
function readRange({ from, to }: LogQuery, { chain, most }: { chain: ChainView; most: bigint }): { from: bigint; to: bigint } {
  const head = chain.head('latest').header.number;
  const numberOf = (id: LogQuery['from']): bigint => (id === undefined ? head : 'number' in id ? id.number : getBlockHeader(chain, id).header.number);
  const range = { from: numberOf(from), to: numberOf(to) };
  if (range.from > range.to && to !== undefined)
    throw fail('rpc/invalid-params', `invalid block range params: fromBlock ${range.from} is above toBlock ${range.to}`);
  const end = range.to > range.from ? range.to : range.from;
  // Logs that are not there yet would silently be missing from the answer.
  if (end > head) throw fail('rpc/invalid-params', `block range extends beyond current head block: ${end} is asked for, the head is ${head}`);
  const blocks = end - range.from + 1n;
  if (blocks <= most) return { from: range.from, to: end };
  throw fail(
    'rpc/limit',
    `blocks ${range.from} to ${end} are ${blocks}, at most ${most} are searched at once: ask for blocks ${range.from} to ${range.from + most - 1n} first`,
  );
}
