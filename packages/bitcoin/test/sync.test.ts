import { createHash } from 'node:crypto';
import {
  type BitcoinSource,
  bitcoinIndex,
  createBitcoinSync,
  createBlockStore,
  createRpcSource,
  createWalker,
  type EmbeddedRegtest,
  openHeaderChain,
  openRegtest,
} from '@hemid/bitcoin';
import { type ChainSpec, equal, HemidError, parseChainSpec, toDisplay } from '@hemid/protocol';
import { type Logger, silentLogger, systemClock } from '@hemid/runtime';
import { layout, openMemoryStore, type Store, type Table } from '@hemid/store';
import { createBitcoinWallet, createManualClock, createSeededRandom, devSpecJson, waitFor } from '@hemid/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const MINER = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const STRANGER = 'bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202';
const BLOCKS = 230;
const START_SECONDS = 1_700_000_000;

let regtest: EmbeddedRegtest;
let source: BitcoinSource;
let spec: ChainSpec;

beforeAll(async () => {
  regtest = await openRegtest({ store: await openMemoryStore(), clock: systemClock, log: silentLogger });
  await regtest.mine({ count: 12, address: MINER, timeSeconds: (i) => START_SECONDS + i });
  spec = parseChainSpec(await devSpecJson(regtest.rpc, START_SECONDS));
  const wallet = createBitcoinWallet({ rpc: regtest.rpc, secret: 'sync' });
  await regtest.mine({ count: 150, address: wallet.addresses.p2wpkh, timeSeconds: (i) => START_SECONDS + 100 + i });
  // Spends of outputs from the same block, the block before and long ago.
  for (let i = 150; i < BLOCKS; i += 1) {
    if (i % 4 === 0) for (let n = 0; n < 2; n += 1) await wallet.pay({ outputs: [{ to: wallet.addresses.p2tr, valueSats: 10_000n }] });
    if (i % 8 === 1) await wallet.pay({ from: 'p2tr', outputs: [{ to: STRANGER, valueSats: 12_000n }] });
    await regtest.mine({ count: 1, address: MINER, timeSeconds: () => START_SECONDS + 1000 + i });
  }
  source = createRpcSource(regtest.rpc);
});
afterAll(() => regtest.close());

interface LogLine {
  fields: Record<string, unknown>;
  text: string;
}

/** A logger that remembers. */
function rememberingLogger(lines: LogLine[]): Logger {
  const write = (fields: Record<string, unknown>, text: string): void => void lines.push({ fields, text });
  return { ...silentLogger, info: write, warn: write, error: write, debug: () => undefined } as unknown as Logger;
}

async function openNode(store: Store, options: { source?: BitcoinSource; log?: Logger; onTip?: () => Promise<void> } = {}) {
  const headers = await openHeaderChain(store, spec);
  const blocks = createBlockStore(store);
  const index = createWalker(bitcoinIndex, { store, headers, blocks });
  const sync = createBitcoinSync(
    {
      spec,
      source: options.source ?? source,
      headers,
      blocks,
      clock: systemClock,
      log: options.log ?? silentLogger,
      onTip: options.onTip ?? (async () => undefined),
      onFailure: (error) => {
        throw error;
      },
    },
    { pollMs: 3_600_000 },
  );
  return { headers, blocks, index, sync };
}

/** A store that dies at its n-th commit; the commits it let through are counted. */
function dyingStore(store: Store, commits: number): Store & { committed(): number } {
  let done = 0;
  return {
    ...store,
    committed: () => done,
    batch() {
      const batch = store.batch();
      return {
        ...batch,
        async commit() {
          if (done === commits) throw new Error('killed');
          done += 1;
          await batch.commit();
        },
      };
    },
  };
}

async function digestOf(store: Store): Promise<string> {
  const digest = createHash('sha256');
  for (const table of Object.values(layout) as unknown as Table<unknown, unknown>[]) {
    for await (const [key, value] of store.range(table)) digest.update(table.prefix).update(table.key.encode(key)).update(table.value.encode(value));
  }
  return digest.digest('hex');
}

describe('bulk synchronisation', () => {
  it('fetches several blocks at once, bounded, and ends on the tip with every body', async () => {
    let flying = 0;
    let most = 0;
    const watched: BitcoinSource = {
      ...source,
      async block(hash, signal) {
        flying += 1;
        most = Math.max(most, flying);
        await systemClock.sleep(1);
        const raw = await source.block(hash, signal);
        flying -= 1;
        return raw;
      },
    };
    const lines: LogLine[] = [];
    let tips = 0;
    const onTip = async (): Promise<void> => {
      tips += 1;
    };
    const { headers, blocks, sync } = await openNode(await openMemoryStore(), { source: watched, log: rememberingLogger(lines), onTip });
    await sync.pull();
    const best = await source.best();
    expect(toDisplay(headers.best().hash)).toBe(toDisplay(best.hash));
    for (let height = 13; height <= best.height; height += 1) expect(blocks.has((await source.hashAt(height)) as Uint8Array)).toBe(true);
    expect(most).toBeGreaterThan(2);
    expect(most).toBeLessThanOrEqual(6);
    expect(tips).toBeGreaterThan(2);
    expect(sync.counters()).toMatchObject({ blocks: BLOCKS, reorgs: 0 });
    const last = lines.find(({ text }) => text === 'bitcoin blocks are all here');
    expect(last?.fields).toMatchObject({ height: best.height, of: best.height, secondsLeft: 0, blocksPerSecond: expect.any(Number) });
  });

  it('gives an overloaded source fewer calls and gets through; one that stays so ends the round', async () => {
    let flying = 0;
    let refused = 0;
    const overloaded = (limit: number): BitcoinSource => ({
      ...source,
      async block(hash, signal) {
        flying += 1;
        try {
          await systemClock.sleep(1);
          if (flying > limit) {
            refused += 1;
            throw new HemidError('bitcoin/busy', 'retry', 'Work queue depth exceeded');
          }
          return await source.block(hash, signal);
        } finally {
          flying -= 1;
        }
      },
    });
    const node = await openNode(await openMemoryStore(), { source: overloaded(2) });
    await node.sync.pull();
    expect(node.headers.best().height).toBe(12 + BLOCKS);
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThan(40);
    const stuck = await openNode(await openMemoryStore(), { source: overloaded(0) });
    await expect(stuck.sync.pull()).rejects.toMatchObject({ code: 'bitcoin/busy' });
    expect(stuck.headers.best().height).toBe(12);
  }, 20_000);

  it('resumes wherever it is killed: no header without its body, and the same rows in the end', async () => {
    const whole = await openMemoryStore();
    const node = await openNode(whole);
    await node.sync.pull();
    await node.index.moveTo(node.headers.best().hash);
    const digest = await digestOf(whole);
    for (let commits = 0; ; commits += 1) {
      const store = await openMemoryStore();
      const first = await openNode(dyingStore(store, commits));
      const killed = await first.sync.pull().then(
        () =>
          first.index.moveTo(first.headers.best().hash).then(
            () => false,
            () => true,
          ),
        () => true,
      );
      const again = await openNode(store);
      for (let header = again.headers.best(); header.height > 12; header = again.headers.ancestor(header.hash, header.height - 1) as typeof header) {
        expect(again.blocks.has(header.hash)).toBe(true);
      }
      await again.sync.pull();
      await again.index.moveTo(again.headers.best().hash);
      expect(await digestOf(store)).toBe(digest);
      if (!killed) {
        expect(commits).toBeGreaterThan(10);
        break;
      }
    }
  }, 60_000);

  it('says that a block was a lie when its body is not the one its header commits to, and keeps nothing of it', async () => {
    const reasons: string[] = [];
    const lying: BitcoinSource = {
      ...source,
      async block(hash, signal) {
        const raw = (await source.block(hash, signal)) as Uint8Array;
        const target = (await source.hashAt(40)) as Uint8Array;
        if (!equal(hash, target)) return raw;
        const forged = raw.slice();
        forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1;
        return forged;
      },
      distrust: (reason) => void reasons.push(reason.code),
    };
    const { headers, blocks, sync } = await openNode(await openMemoryStore(), { source: lying });
    await expect(sync.pull()).rejects.toMatchObject({ code: 'bitcoin/lie', severity: 'retry', message: expect.stringMatching(/merkle root/) });
    expect(reasons).toEqual(['bitcoin/lie']);
    expect(headers.best().height).toBeLessThan(40);
    expect(blocks.has((await source.hashAt(40)) as Uint8Array)).toBe(false);
  });

  it('refuses another block than the one it asked for', async () => {
    const wrong = createRpcSource(async (method, params, signal) =>
      regtest.rpc(method, method === 'getblock' ? [await regtest.rpc('getblockhash', [5]), 0] : params, signal),
    );
    const hash = (await source.hashAt(6)) as Uint8Array;
    await expect(wrong.block(hash)).rejects.toMatchObject({ code: 'bitcoin/lie', severity: 'retry' });
  });

  it('tells a reorganisation apart from progress', async () => {
    const own = await openRegtest({ store: await openMemoryStore(), clock: systemClock, log: silentLogger });
    for (let height = 1; height <= 30; height += 1)
      await own.rpc('submitblock', [await regtest.rpc('getblock', [await regtest.rpc('getblockhash', [height]), 0])]);
    const lines: LogLine[] = [];
    const { sync, headers } = await openNode(await openMemoryStore(), { source: createRpcSource(own.rpc), log: rememberingLogger(lines) });
    await sync.pull();
    await own.rpc('invalidateblock', [await own.rpc('getblockhash', [28])]);
    await own.mine({ count: 4, address: STRANGER });
    await sync.pull();
    expect(headers.best().height).toBe(31);
    expect(sync.counters()).toMatchObject({ reorgs: 1 });
    expect(lines.filter(({ text }) => text === 'bitcoin reorganised').map(({ fields }) => fields['depth'])).toEqual([3]);
    await own.close();
  });

  it('looks at once when it is woken, though the next poll is far', async () => {
    const own = await openRegtest({ store: await openMemoryStore(), clock: systemClock, log: silentLogger });
    for (let height = 1; height <= 14; height += 1)
      await own.rpc('submitblock', [await regtest.rpc('getblock', [await regtest.rpc('getblockhash', [height]), 0])]);
    const { sync, headers } = await openNode(await openMemoryStore(), { source: createRpcSource(own.rpc) });
    const stop = new AbortController();
    await sync.start(stop.signal);
    await waitFor(() => headers.best().height === 14, { timeoutMs: 5_000, what: 'the first look' });
    await own.mine({ count: 1, address: STRANGER });
    await systemClock.sleep(100);
    expect(headers.best().height).toBe(14);
    sync.wake();
    await waitFor(() => headers.best().height === 15, { timeoutMs: 5_000, what: 'the block after it was woken' });
    stop.abort();
    await sync.stop();
    await own.close();
  });
});

describe('a walker that moves far', () => {
  it('writes several blocks as one batch, and ends where single steps end, both ways', async () => {
    const store = await openMemoryStore();
    const { headers, sync, blocks } = await openNode(store);
    await sync.pull();
    const before = await digestOf(store);
    const counting = dyingStore(store, Number.POSITIVE_INFINITY);
    const walker = createWalker(bitcoinIndex, { store: counting, headers, blocks });
    await walker.moveTo(headers.best().hash);
    expect(walker.position().height).toBe(12 + BLOCKS);
    expect(counting.committed()).toBeLessThan(BLOCKS / 20);
    const far = await digestOf(store);

    const stepwise = await openMemoryStore();
    const other = await openNode(stepwise);
    await other.sync.pull();
    for (let height = 13; height <= 12 + BLOCKS; height += 1) await other.index.moveTo((await source.hashAt(height)) as Uint8Array);
    expect(await digestOf(stepwise)).toBe(far);

    // Back to the beginning, by strides of any length.
    const back = createWalker(bitcoinIndex, { store, headers, blocks });
    const random = createSeededRandom(3);
    while (back.position().height > 13) {
      const height = Math.max(13, back.position().height - random.between(1, 90));
      await back.moveTo(headers.ancestor(headers.best().hash, height)?.hash as Uint8Array);
      expect(back.position().height).toBe(height);
    }
    await back.moveTo(headers.genesis.hash);
    const batch = store.batch();
    batch.del(layout.position, 'index');
    await batch.commit();
    expect(await digestOf(store)).toBe(before);
  });

  it('stays before the first block whose body is missing', async () => {
    const store = await openMemoryStore();
    const { headers, sync } = await openNode(store);
    await sync.pull();
    const gap = (await source.hashAt(100)) as Uint8Array;
    const batch = store.batch();
    batch.del(layout.bitcoinBlock, gap);
    await batch.commit();
    const walker = createWalker(bitcoinIndex, { store, headers, blocks: createBlockStore(store) });
    await expect(walker.moveTo(headers.best().hash)).rejects.toMatchObject({ code: 'bitcoin/block-missing' });
    expect(walker.position().height).toBe(99);
  });
});

describe('the manual clock', () => {
  it('drives the pause between rounds', async () => {
    const clock = createManualClock(1_800_000_000_000);
    const store = await openMemoryStore();
    let asked = 0;
    const counted: BitcoinSource = {
      ...source,
      async best(signal) {
        asked += 1;
        return source.best(signal);
      },
    };
    const headers = await openHeaderChain(store, spec);
    const deps = { spec, source: counted, headers, blocks: createBlockStore(store), clock, log: silentLogger, onTip: async () => undefined };
    const sync = createBitcoinSync({ ...deps, onFailure: () => undefined }, { pollMs: 1000 });
    const stop = new AbortController();
    await sync.start(stop.signal);
    await waitFor(() => headers.best().height === 12 + BLOCKS, { timeoutMs: 10_000, what: 'the first round' });
    await clock.advance(3000);
    await waitFor(() => asked >= 2, { timeoutMs: 5_000, what: 'another round' });
    stop.abort();
    await sync.stop();
  });
});
