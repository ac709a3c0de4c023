import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ChainView, LOG_SECTION } from '@hemid/chain';
import { toHex } from '@hemid/protocol';
import { getBlockHeader } from './block-id.ts';
import type { ReadContext } from './context.ts';
import { fail } from './errors.ts';
import type { LogQuery } from './log-filter.ts';
import { createLogTest, type LogText } from './log-text.ts';
import { createSizedCache, type SizedCache } from './sized-cache.ts';
import { type JsonText, jsonText, toText } from './wire.ts';
import { keepText, sizeOfText, toList, type WireText } from './wire-text.ts';

/** Blocks whose logs are looked at before other work gets its turn, which it gets behind each part too. */
const BLOCKS_PER_TURN = 16;
/** Sections of the index that are sooner searched than handed to another thread, which sends the answer over: two thousand blocks. */
const NARROW_SECTIONS = 8n;
/** Memory for the parts of searches. */
const CACHE_BYTES = 32 << 20;
/** What an entry takes beside its text. */
const ENTRY_BYTES = 300;

/** The logs of a part of the chain that are wanted: JSON with commas between. */
export interface FoundLogs {
  count: number;
  json: WireText;
}

/** Parts of searches by what was wanted, their first block, and the hash of their last one: it fixes all blocks before it. */
export type LogSearches = SizedCache<FoundLogs>;

/** Creates the {@link LogSearches} of a chain. */
export const createLogSearches = (): LogSearches => createSizedCache(CACHE_BYTES, ({ json }) => sizeOfText(json) + ENTRY_BYTES);

const latin = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

/** The same for the same addresses and topics. */
const nameOf = ({ addresses, topics }: LogQuery): string =>
  createHash('sha256')
    .update(toText([addresses, topics]))
    .digest('base64');

/** What a search works with. */
type SearchContext = Pick<ReadContext, 'chain' | 'limits' | 'isOver' | 'texts' | 'searches'>;

/** A search at work. */
interface Search {
  query: LogQuery;
  from: bigint;
  isWanted(log: LogText): boolean;
  /** Logs that parts before had. */
  count: number;
}

/**
 * The logs of the canonical chain, or of one block, that are wanted, as a JSON list.
 *
 * @throws `rpc/limit` saying which smaller range to ask for; `rpc/not-found` when the one block is unknown.
 */
export async function findLogs(context: SearchContext, query: LogQuery): Promise<JsonText> {
  const { chain, limits, texts, searches } = context;
  const isWanted = createLogTest(query);
  if (query.blockHash !== undefined) {
    const block = chain.header(query.blockHash);
    if (block === undefined) throw fail('rpc/not-found', `unknown block ${toHex(query.blockHash)}`);
    const wanted = texts.logs(block).filter(isWanted);
    return jsonText(`[${wanted.map(({ json }) => json).join(',')}]`);
  }
  const { from, to } = readRange(query, { chain, most: limits.logBlocks });
  const name = nameOf(query);
  const search: Search = { query, from, isWanted, count: 0 };
  const parts: WireText[] = [];
  for (let next = from; next <= to; ) {
    const behind = next - (next % LOG_SECTION) + LOG_SECTION;
    const end = behind <= to ? behind - 1n : to;
    const place = `${name}${next} ${latin(getBlockHeader(chain, { number: end }).hash)}`;
    let found = searches.read(place);
    if (found === undefined || search.count + found.count > limits.logs) {
      found = await findPart(context, search, { from: next, to: end });
      searches.put(place, found);
      if (end < to) await giveTurn(context, search, end);
    }
    if (found.count > 0) parts.push(found.json);
    search.count += found.count;
    next = end + 1n;
  }
  return jsonText(toList(parts));
}

async function giveTurn({ isOver }: SearchContext, { from }: Search, searched: bigint): Promise<void> {
  await nextTurn();
  if (isOver()) throw fail('rpc/timeout', `nobody waits any more: blocks ${from} to ${searched} were searched`);
}

/** Searches a part of the range. */
async function findPart(context: SearchContext, search: Search, part: { from: bigint; to: bigint }): Promise<FoundLogs> {
  const { chain, limits, texts } = context;
  const { query, from, isWanted } = search;
  const found: string[] = [];
  // All blocks of a part are named at once: a reorg meanwhile does not mix two chains in it.
  for (const [i, block] of chain.logBlocks(query, part).entries()) {
    const { number } = block.header;
    if (i % BLOCKS_PER_TURN === BLOCKS_PER_TURN - 1) await giveTurn(context, search, number - 1n);
    for (const log of texts.logs(block)) if (isWanted(log)) found.push(log.json);
    if (search.count + found.length > limits.logs && number > from) {
      throw fail('rpc/limit', `more than ${limits.logs} logs: ask for blocks ${from} to ${number - 1n} first, then from ${number} on`);
    }
  }
  return { count: found.length, json: keepText(found.join(',')) };
}

/** First and last block as they were asked for. */
function numbersOf({ from, to }: LogQuery, chain: ChainView): { from: bigint; to: bigint } {
  const numberOf = (id: LogQuery['from']): bigint => {
    if (id === undefined) return chain.head('latest').header.number;
    return 'number' in id ? id.number : getBlockHeader(chain, id).header.number;
  };
  return { from: numberOf(from), to: numberOf(to) };
}

/** Whether a search goes over so many blocks that another thread does it. */
export function isWide(query: LogQuery, chain: ChainView): boolean {
  if (query.blockHash !== undefined) return false;
  const { from, to } = numbersOf(query, chain);
  return to - from >= NARROW_SECTIONS * LOG_SECTION;
}

/** The range to search. */
function readRange(query: LogQuery, { chain, most }: { chain: ChainView; most: bigint }): { from: bigint; to: bigint } {
  const head = chain.head('latest').header.number;
  const range = numbersOf(query, chain);
  const { to } = query;
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
