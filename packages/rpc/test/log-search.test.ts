import { type ChainReader, createLogIndex, findLogBlocks, type PlacedL2Header } from '@hemid/chain';
import { bloomOf, type L2Header, type Log, type Receipt, type SealedBlock, toDigits } from '@hemid/protocol';
import { createSeededRandom } from '@hemid/runtime';
import { follow, openMemoryStore, type Store } from '@hemid/store';
import { checkFollower } from '@hemid/testkit';
import { expect, it } from 'vitest';
import { createBlockTexts } from '../src/block-text.ts';
import { createLimits, createRules } from '../src/index.ts';
import { type LogQuery, matchesLog } from '../src/log-filter.ts';
import { createLogSearches, findLogs } from '../src/log-search.ts';
import { logsOfBlock, showLog } from '../src/log-shape.ts';
import { toWire } from '../src/wire.ts';

type Random = ReturnType<typeof createSeededRandom>;
const pick = <T>(random: Random, list: readonly T[]): T => list[random.between(0, list.length - 1)] as T;

/** Few of each, so that filters find something; the first address and topics are zero or begin with zeros. */
const ADDRESSES = [0, 1, 2, 3].map((i) => new Uint8Array(20).fill(i, i));
const TOPICS = [0, 1, 2, 3, 4].map((i) => new Uint8Array(32).fill(i, 8 * i));

interface TestBlock extends SealedBlock {
  receipts: Receipt[];
}

function randomLog(random: Random): Log {
  const topics = Array.from({ length: random.between(0, 4) }, () => pick(random, TOPICS));
  return { address: pick(random, ADDRESSES), topics, data: new Uint8Array(random.between(0, 40)).fill(7) };
}

/** Blocks from `first` on; `branch` makes their hashes differ. */
function randomBlocks(random: Random, { first, count, branch }: { first: number; count: number; branch: number }): TestBlock[] {
  return Array.from({ length: count }, (_, i) => {
    const number = BigInt(first + i);
    const hash = new Uint8Array(32)
      .fill(branch)
      .with(0, (first + i) >> 8)
      .with(1, (first + i) & 0xff);
    const isQuiet = random.between(0, 3) === 0;
    const transactions = isQuiet ? [] : Array.from({ length: random.between(1, 3) }, (_, at) => Uint8Array.of(2, ...hash, at));
    const receipts = transactions.map((): Receipt => {
      const logs = Array.from({ length: random.between(0, 2) }, () => randomLog(random));
      return { type: 2, succeeded: true, cumulativeGasUsed: 1n, logs, nonce: 0n, gasUsed: 1n, effectiveGasPrice: 1n };
    });
    const logsBloom = bloomOf(receipts.flatMap(({ logs }) => logs));
    return { hash, seal: new Uint8Array(), receipts, block: { header: { number, timestamp: number, logsBloom } as L2Header, transactions } };
  });
}

/** A chain of such blocks whose log index is the real one; it can go over to another branch. */
function openChain(store: Store) {
  const known = new Map<string, TestBlock>();
  let canonical: TestBlock[] = [];
  const get = (hash: Uint8Array): TestBlock => known.get(toDigits(hash)) as TestBlock;
  const placed = ({ block, hash }: TestBlock): PlacedL2Header => ({ header: block.header, hash });
  const headerAt = (number: bigint): PlacedL2Header | undefined => canonical[Number(number)] && placed(canonical[Number(number)] as TestBlock);
  const chain = {
    head: () => placed(canonical.at(-1) as TestBlock),
    headerAt,
    header: (hash: Uint8Array) => (known.has(toDigits(hash)) ? placed(get(hash)) : undefined),
    block: get,
    receipts: (hash: Uint8Array) => get(hash).receipts,
    logBlocks: (filter, range) => findLogBlocks(store, filter, range).flatMap((number) => headerAt(number) ?? []),
  } as Partial<ChainReader> as ChainReader;
  return {
    chain,
    /** Takes back all but the first `keep` blocks, then adds others, in one batch. */
    async move(keep: number, added: readonly TestBlock[]): Promise<void> {
      for (const block of added) known.set(toDigits(block.hash), block);
      const batch = store.batch();
      const route = {
        removed: canonical
          .slice(keep)
          .reverse()
          .map(({ hash }) => hash),
        added: added.map(({ hash }) => hash),
      };
      follow({ followers: [createLogIndex((hash) => get(hash).receipts)], route, load: get, batch });
      await batch.commit();
      canonical = [...canonical.slice(0, keep), ...added];
    },
  };
}

/** What a search by the blooms of all blocks finds: how it was done before there was an index. */
function scan(chain: ChainReader, query: LogQuery & { from: { number: bigint }; to: { number: bigint } }, most: number): unknown {
  const bits = (item: Uint8Array): Uint8Array => bloomOf([{ address: item, topics: [], data: new Uint8Array() }]);
  const groups = [query.addresses, ...query.topics].filter((choices) => choices.length > 0);
  const mayContain = (bloom: Uint8Array): boolean =>
    groups.every((choices) => choices.some((one) => bits(one).every((byte, i) => ((bloom[i] ?? 0) & byte) === byte)));
  const found: unknown[] = [];
  for (let { number } = query.from; number <= query.to.number; number += 1n) {
    const block = chain.headerAt(number) as PlacedL2Header;
    if (!mayContain(block.header.logsBloom)) continue;
    for (const one of logsOfBlock(chain, block)) if (matchesLog(query, one.log)) found.push(toWire(showLog(one)));
    if (found.length > most && number > query.from.number)
      return `more than ${most} logs: ask for blocks ${query.from.number} to ${number - 1n} first`;
  }
  return found;
}

function randomQuery(random: Random, head: number) {
  const some = <T>(list: readonly T[], most: number): T[] => Array.from({ length: random.between(0, most) }, () => pick(random, list));
  const from = random.between(0, head);
  const topics = Array.from({ length: random.between(0, 4) }, () => some(TOPICS, 2));
  const range = { from: { number: BigInt(from) }, to: { number: BigInt(random.between(from, head)) } };
  return { addresses: some(ADDRESSES, 2), topics, blockHash: undefined, ...range };
}

it('a search by the index finds what a search by blooms finds, before and after reorgs, asked anew and again', async () => {
  const random = createSeededRandom(Number(process.env['HEMID_SEED'] ?? 20_261_120));
  const { chain, move } = openChain(await openMemoryStore());
  const limits = { ...createLimits({ rpcLogBlocks: 10_000 }), logs: 60 };
  const decode = (): never => {
    throw new Error('no transaction is looked at');
  };
  const texts = createBlockTexts({ chain, decode, rules: createRules() });
  const searches = createLogSearches();
  const search = (query: LogQuery): Promise<unknown> =>
    findLogs({ chain, limits, isOver: () => false, texts, searches }, query).then(toWire, (error: Error) => error.message);
  let [length, found, refused] = [0, 0, 0];
  const asked: ReturnType<typeof randomQuery>[] = [];
  for (let branch = 0; branch < 3; branch += 1) {
    // Over the boundaries of sections, both ways.
    const keep = Math.max(0, length - random.between(1, 300));
    const count = random.between(200, 500);
    await move(keep, randomBlocks(random, { first: keep, count, branch }));
    length = keep + count;
    asked.push(...Array.from({ length: 30 }, () => randomQuery(random, length - 1)));
    // What was found on the branch before, and a part of what another filter or range found, must not come again.
    for (const query of asked) {
      if (query.to.number >= BigInt(length)) continue;
      const expected = scan(chain, query, limits.logs);
      for (const answer of [await search(query), await search(query)]) {
        if (typeof expected === 'string') expect(answer).toContain(expected);
        else expect(answer).toEqual(expected);
      }
      if (typeof expected === 'string') refused += 1;
      else found += (expected as unknown[]).length;
    }
  }
  expect([found > 500, refused > 10]).toEqual([true, true]);
});

it('the log index leaves the bytes as they were when its blocks are taken back', async () => {
  const blocks = randomBlocks(createSeededRandom(3), { first: 250, count: 14, branch: 1 });
  const receipts = new Map(blocks.map((block) => [toDigits(block.hash), block.receipts]));
  const follower = createLogIndex((hash) => receipts.get(toDigits(hash)));
  await checkFollower<SealedBlock>({ follower, blocks, store: await openMemoryStore(), seed: 5 });
});
