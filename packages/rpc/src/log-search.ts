import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ChainReader, PlacedL2Header } from '@hemid/chain';
import { toHex } from '@hemid/protocol';
import { getBlockHeader } from './block-id.ts';
import type { RpcContext } from './context.ts';
import { fail } from './errors.ts';
import { createBloomTest, type LogQuery, matchesLog } from './log-filter.ts';
import { logsOfBlock, type PlacedLog } from './log-shape.ts';

/** Blocks looked at before other work gets its turn. */
const BLOCKS_PER_TURN = 256n;

/** What a search works with. */
type SearchContext = Pick<RpcContext, 'chain' | 'limits' | 'isOver'>;

/**
 * Searches the canonical chain, or one block, for logs.
 *
 * @throws `rpc/limit` saying which smaller range to ask for; `rpc/not-found` when the one block is unknown.
 */
export async function findLogs({ chain, limits, isOver }: SearchContext, query: LogQuery): Promise<PlacedLog[]> {
  if (query.blockHash !== undefined) {
    const block = chain.header(query.blockHash);
    if (block === undefined) throw fail('rpc/not-found', `unknown block ${toHex(query.blockHash)}`);
    return logsOfBlock(chain, block).filter(({ log }) => matchesLog(query, log));
  }
  const { from, to } = readRange(query, { chain, most: limits.logBlocks });
  const mayContain = createBloomTest(query);
  const found: PlacedLog[] = [];
  for (let number = from; number <= to; number += 1n) {
    if ((number - from) % BLOCKS_PER_TURN === BLOCKS_PER_TURN - 1n) await nextTurn();
    if (isOver()) throw fail('rpc/timeout', `nobody waits any more: blocks ${from} to ${number - 1n} were searched`);
    const block: PlacedL2Header | undefined = chain.headerAt(number);
    if (block === undefined) break;
    if (!mayContain(block.header.logsBloom)) continue;
    for (const placed of logsOfBlock(chain, block)) if (matchesLog(query, placed.log)) found.push(placed);
    if (found.length > limits.logs && number > from) {
      throw fail('rpc/limit', `more than ${limits.logs} logs: ask for blocks ${from} to ${number - 1n} first, then from ${number} on`);
    }
  }
  return found;
}

/** The range as numbers. */
function readRange({ from, to }: LogQuery, { chain, most }: { chain: ChainReader; most: bigint }): { from: bigint; to: bigint } {
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
