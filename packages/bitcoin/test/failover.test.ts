import {
  type BitcoinSource,
  createBitcoinSync,
  createBlockStore,
  createFailoverSource,
  createRpcSource,
  createZmqSubscriber,
  openHeaderChain,
} from '@hemid/bitcoin';
import { HemidError, parseChainSpec, type Severity, toDisplay } from '@hemid/protocol';
import { type Logger, silentLogger, systemClock } from '@hemid/runtime';
import { openMemoryStore } from '@hemid/store';
import { type Bitcoind, createManualClock, devSpecJson, freePort, startBitcoind, waitFor } from '@hemid/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';
const OTHER_ADDRESS = 'bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202';

interface Line {
  code: unknown;
  text: string;
}

function rememberingLogger(lines: Line[]): Logger {
  const write = (fields: Record<string, unknown>, text: string): void => void lines.push({ code: fields['code'], text });
  return { ...silentLogger, info: write, warn: write, error: write, debug: () => undefined } as unknown as Logger;
}

/** A source whose answers a test decides. */
function fakeSource(height: number) {
  const state = { height, error: undefined as HemidError | undefined, asked: 0, raw: undefined as Uint8Array | undefined };
  const hash = (h: number): Uint8Array => new Uint8Array(32).fill(h);
  async function answer<T>(value: () => T): Promise<T> {
    state.asked += 1;
    if (state.error !== undefined) throw state.error;
    return value();
  }
  const source: BitcoinSource = {
    checkNetwork: () => answer(() => undefined),
    best: () => answer(() => ({ hash: hash(state.height), height: state.height })),
    hashAt: (h) => answer(() => (h > state.height ? undefined : hash(h))),
    block: () => answer(() => state.raw),
    knows: () => answer(() => state.raw !== undefined),
  };
  return { source, state };
}

const error = (code: string, severity: Severity = 'retry'): HemidError => new HemidError(code, severity, `${code} happened`);

function lab() {
  const clock = createManualClock(1_800_000_000_000);
  const lines: Line[] = [];
  const [first, second] = [fakeSource(10), fakeSource(10)];
  const source = createFailoverSource(
    [
      { name: 'first', source: first.source },
      { name: 'second', source: second.source },
    ],
    { clock, log: rememberingLogger(lines) },
    { stallMs: 60_000, retryMs: 10_000 },
  );
  return { clock, lines, first: first.state, second: second.state, source };
}

describe('several sources', () => {
  it('are one while the first works: the others are not asked', async () => {
    const { source, second } = lab();
    await source.best();
    await source.hashAt(3);
    expect(second.asked).toBe(0);
    expect(source.counters?.()).toEqual({ failovers: 0, returns: 0 });
  });

  it.each([
    ['bitcoin/unreachable', 'retry'],
    ['bitcoin/warming-up', 'retry'],
    ['bitcoin/busy', 'retry'],
    ['bitcoin/lie', 'retry'],
    ['bitcoin/pruned', 'fatal'],
    ['bitcoin/credentials', 'fatal'],
  ] as const)('go on with the second on %s, say so, and come back when the first works again', async (code, severity) => {
    const { clock, source, first, second, lines } = lab();
    first.error = error(code, severity);
    expect(await source.best()).toMatchObject({ height: 10 });
    expect(lines).toEqual([{ code, text: `bitcoin source left: ${code} happened` }]);
    expect(source.counters?.()).toEqual({ failovers: 1, returns: 0, [code.replace('bitcoin/', '')]: 1 });
    // Left alone until the retry time is over.
    const { asked } = first;
    await clock.advance(9_000);
    await source.best();
    expect(first.asked).toBe(asked);
    // Still broken: stays with the second. Then behind: stays too. Then as high: returns.
    await clock.advance(2_000);
    await source.best();
    expect(first.asked).toBe(asked + 1);
    first.error = undefined;
    first.height = 9;
    await clock.advance(11_000);
    expect(await source.best()).toMatchObject({ height: 10 });
    expect(source.counters?.()).toMatchObject({ returns: 0 });
    first.height = 11;
    await clock.advance(11_000);
    expect(await source.best()).toMatchObject({ height: 11 });
    expect(source.counters?.()).toMatchObject({ returns: 1 });
    expect(lines[1]?.text).toBe('bitcoin source is used again');
    const before = second.asked;
    await source.hashAt(1);
    expect(second.asked).toBe(before);
  });

  it('leave one that stands still only when another is higher', async () => {
    const { clock, source, first, second, lines } = lab();
    await source.best();
    await clock.advance(61_000);
    await source.best();
    expect(source.counters?.()).toMatchObject({ failovers: 0 });
    second.height = 12;
    await clock.advance(30_000);
    expect(await source.best()).toMatchObject({ height: 12 });
    expect(lines[0]?.code).toBe('bitcoin/stall');
    expect(source.counters?.()).toMatchObject({ stall: 1, failovers: 1 });
    // It goes on: as high again, it is used again.
    first.height = 13;
    await clock.advance(11_000);
    expect(await source.best()).toMatchObject({ height: 13 });
    expect(source.counters?.()).toMatchObject({ returns: 1 });
  });

  it('do not call a slow chain a stall: the time counts from the last new tip', async () => {
    const { clock, source, first, second } = lab();
    second.height = 50;
    for (let i = 0; i < 5; i += 1) {
      await source.best();
      await clock.advance(50_000);
      first.height += 1;
    }
    expect(source.counters?.()).toMatchObject({ failovers: 0 });
  });

  it('find a block with any of them, and move when they are told that one lied', async () => {
    const { source, first, second, lines } = lab();
    second.raw = Uint8Array.of(1);
    expect(await source.block(new Uint8Array(32))).toEqual(Uint8Array.of(1));
    expect(await source.knows(new Uint8Array(32))).toBe(true);
    expect(source.counters?.()).toMatchObject({ failovers: 0 });
    source.distrust?.(error('bitcoin/lie'));
    expect(lines[0]?.code).toBe('bitcoin/lie');
    expect(source.counters?.()).toMatchObject({ lie: 1, failovers: 1 });
    const { asked } = first;
    await source.hashAt(1);
    expect(first.asked).toBe(asked);
  });

  it('fail together: with the reason that may pass, else with the first; a mistake in the configuration is not hidden', async () => {
    const { source, first, second } = lab();
    first.error = error('bitcoin/pruned', 'fatal');
    second.error = error('bitcoin/unreachable');
    await expect(source.best()).rejects.toMatchObject({ code: 'bitcoin/unreachable' });
    second.error = error('bitcoin/pruned', 'fatal');
    await expect(source.best()).rejects.toMatchObject({ code: 'bitcoin/pruned' });
    first.error = undefined;
    second.error = error('bitcoin/wrong-network', 'fatal');
    await expect(source.checkNetwork('regtest')).rejects.toMatchObject({ code: 'bitcoin/wrong-network' });
    second.error = error('bitcoin/unreachable');
    await expect(source.checkNetwork('regtest')).resolves.toBeUndefined();
    first.error = new HemidError('other/fault', 'fatal', 'a fault of our own');
    await expect(source.best()).rejects.toMatchObject({ code: 'other/fault' });
  });
});

describe('two real bitcoinds, one of them pruned', () => {
  const PRUNED_BLOCKS = 700;
  let pruned: Bitcoind;
  let full: Bitcoind;
  let zmqPort: number;
  beforeAll(async () => {
    zmqPort = await freePort();
    [pruned, full] = await Promise.all([
      startBitcoind({ args: ['-txindex=0', '-prune=1', '-fastprune'] }),
      startBitcoind({ args: ['-txindex=0', `-zmqpubhashblock=tcp://127.0.0.1:${zmqPort}`] }),
    ]);
    await full.rpc('generatetoaddress', [20, ADDRESS]);
  });
  afterAll(async () => {
    await Promise.all([pruned.stop(), full.stop()]);
  });

  async function copyBlocks(from: number, to: number): Promise<void> {
    for (let height = from; height <= to; height += 1) {
      await pruned.rpc('submitblock', [await full.rpc('getblock', [await full.rpc('getblockhash', [height]), 0])]);
    }
  }

  it('sync through a pruned answer, a stop, a restart and a reorganisation, with txindex on neither', async () => {
    const spec = parseChainSpec(await devSpecJson(full.rpc, 1_700_000_000));
    await full.rpc('generatetoaddress', [PRUNED_BLOCKS, ADDRESS]);
    await copyBlocks(1, 20 + PRUNED_BLOCKS);
    expect(await pruned.rpc('pruneblockchain', [400])).toBeGreaterThan(100);
    const lines: Line[] = [];
    const log = rememberingLogger(lines);
    const source = createFailoverSource(
      [
        { name: 'pruned', source: createRpcSource((method, params, signal) => pruned.rpc(method, params, signal)) },
        { name: 'full', source: createRpcSource((method, params, signal) => full.rpc(method, params, signal)) },
      ],
      { clock: systemClock, log },
      { stallMs: 60_000, retryMs: 300 },
    );
    const store = await openMemoryStore();
    const headers = await openHeaderChain(store, spec);
    const deps = { spec, source, headers, blocks: createBlockStore(store), clock: systemClock, log };
    const sync = createBitcoinSync(
      {
        ...deps,
        onTip: async () => undefined,
        onFailure: (cause) => {
          throw cause;
        },
      },
      { pollMs: 3_600_000 },
    );
    await sync.pull();
    expect(headers.best().height).toBe(20 + PRUNED_BLOCKS);
    expect(lines.some(({ code }) => code === 'bitcoin/pruned')).toBe(true);
    expect(sync.counters()['pruned']).toBeGreaterThan(0);

    // The full one stops: the pruned one has what is new.
    await systemClock.sleep(400);
    await source.best();
    expect(lines.at(-1)?.text).toBe('bitcoin source is used again');
    await pruned.kill();
    await full.rpc('generatetoaddress', [2, ADDRESS]);
    await sync.pull();
    expect(headers.best().height).toBe(22 + PRUNED_BLOCKS);
    expect(lines.some(({ code }) => code === 'bitcoin/unreachable')).toBe(true);

    await pruned.restart();
    await copyBlocks(21 + PRUNED_BLOCKS, 22 + PRUNED_BLOCKS);
    await systemClock.sleep(400);
    const returns = sync.counters()['returns'] ?? 0;
    await sync.pull();
    expect(sync.counters()['returns']).toBe(returns + 1);

    // A reorganisation is no fault of a source.
    const failovers = sync.counters()['failovers'];
    await pruned.rpc('invalidateblock', [await pruned.rpc('getblockhash', [21 + PRUNED_BLOCKS])]);
    await pruned.rpc('generatetoaddress', [3, OTHER_ADDRESS]);
    await sync.pull();
    expect(toDisplay(headers.best().hash)).toBe(await pruned.rpc('getbestblockhash', []));
    expect(sync.counters()).toMatchObject({ reorgs: 1, failovers });
    await store.close();
  }, 90_000);

  it('a new block is heard over ZMQ, also after bitcoind came back', async () => {
    let heard = 0;
    const onMessage = (): void => {
      heard += 1;
    };
    const lines: Line[] = [];
    const subscriber = createZmqSubscriber(
      { clock: systemClock, log: rememberingLogger(lines), onMessage },
      { endpoint: `tcp://127.0.0.1:${zmqPort}`, topic: 'hashblock' },
    );
    const stop = new AbortController();
    await subscriber.start(stop.signal);
    await waitFor(() => subscriber.isConnected(), { timeoutMs: 5_000, what: 'the connection' });
    await systemClock.sleep(100);
    await full.rpc('generatetoaddress', [3, ADDRESS]);
    await waitFor(() => heard === 3, { timeoutMs: 5_000, what: 'three blocks' });
    await full.kill();
    await waitFor(() => !subscriber.isConnected(), { timeoutMs: 5_000, what: 'the end of the connection' });
    await full.restart();
    await waitFor(() => subscriber.isConnected(), { timeoutMs: 15_000, what: 'the connection again' });
    await systemClock.sleep(100);
    await full.rpc('generatetoaddress', [1, ADDRESS]);
    await waitFor(() => heard === 4, { timeoutMs: 5_000, what: 'one block more' });
    stop.abort();
    await subscriber.stop();
    expect(lines.map(({ text }) => text)).toEqual(['zmq connected', 'zmq is not connected: blocks are found by polling', 'zmq connected']);
  }, 60_000);

  it('a port that speaks something else, and an endpoint that is none, are told', async () => {
    const lines: Line[] = [];
    const port = new URL(full.url).port;
    const deps = { clock: systemClock, log: rememberingLogger(lines), onMessage: () => undefined };
    const subscriber = createZmqSubscriber(deps, { endpoint: `tcp://127.0.0.1:${port}`, topic: 'hashblock' });
    const stop = new AbortController();
    await subscriber.start(stop.signal);
    await waitFor(() => lines.length > 0, { timeoutMs: 10_000, what: 'a warning' });
    expect(subscriber.isConnected()).toBe(false);
    stop.abort();
    await subscriber.stop();
    for (const endpoint of ['ipc:///tmp/x', 'tcp://host', 'http://127.0.0.1:1']) {
      expect(() => createZmqSubscriber(deps, { endpoint, topic: 'hashblock' })).toThrow(/not a ZMQ endpoint/);
    }
  });
});
