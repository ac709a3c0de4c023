import { type Hex, toHex } from '@hemid/protocol';
import { silentLogger } from '@hemid/runtime';
import { layout, openMemoryStore, type Store } from '@hemid/store';
import { createTestNetwork, type TestNetwork } from '@hemid/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPool, createPoolJournal, type Pool, type PoolJournal } from '../src/index.ts';
import { GWEI, type Request, sign } from './signed.ts';

/** A pool with its journal, as one run of a node has it. */
interface Run {
  pool: Pool;
  journal: PoolJournal;
  submit(index: number, request?: Request): Promise<Hex>;
  /** Hashes of all that wait, sorted. */
  waiting(): Hex[];
  /** Stops as a node does on a signal. */
  stop(): Promise<void>;
}

let network: TestNetwork;
let store: Store;
let failures: unknown[];
beforeEach(async () => {
  network = await createTestNetwork();
  store = await openMemoryStore();
  failures = [];
});
afterEach(async () => {
  expect(failures).toEqual([]);
  await store.close();
  await network.close();
});

async function start(): Promise<Run> {
  const { chain } = network.sequencer.node;
  const { clock } = network;
  const log = silentLogger;
  const pool = createPool({ chain, common: chain.execution.common, clock, log });
  const unhear = chain.onHead((change) => void pool.follow(change));
  const journal = createPoolJournal({ pool, store, clock, log, onFailure: (error) => failures.push(error) });
  const controller = new AbortController();
  await journal.start(controller.signal);
  return {
    pool,
    journal,
    submit: async (index, request) => toHex(await pool.submit(await sign(network.spec.genesis.chainId, index, request))),
    waiting() {
      const { pending, queued } = pool.content();
      return [...pending.values(), ...queued.values()]
        .flat()
        .map(({ hash }) => toHex(hash))
        .sort();
    },
    async stop() {
      unhear();
      controller.abort();
      await journal.stop();
    },
  };
}

async function rows(): Promise<bigint[]> {
  const numbers: bigint[] = [];
  for await (const [number] of store.range(layout.pooled)) numbers.push(number);
  return numbers;
}

test('what waits is there again after a restart, in its place', async () => {
  const first = await start();
  // The later nonces first: at the restart they must not wait behind a gap that is none.
  for (let nonce = 69; nonce >= 6; nonce -= 1) await first.submit(0, { nonce });
  for (let nonce = 0; nonce < 6; nonce += 1) await first.submit(0, { nonce });
  await first.submit(1, { nonce: 4 });
  const old = await first.submit(2);
  const better = await first.submit(2, { tip: 2n * GWEI, cap: 20n * GWEI });
  await first.stop();
  const second = await start();
  expect(second.waiting()).toEqual(first.waiting());
  expect(second.waiting()).toContain(better);
  expect(second.waiting()).not.toContain(old);
  expect(second.pool.counts()).toEqual({ pending: 71, queued: 1 });
  await second.stop();
});

test('half a second after it was taken, a transaction survives even a kill', async () => {
  const killed = await start();
  const early = await killed.submit(0);
  expect(await rows()).toEqual([]);
  await network.clock.advance(500);
  const late = await killed.submit(1);
  const next = await start();
  expect(next.waiting()).toEqual([early]);
  expect(next.waiting()).not.toContain(late);
});

test('what was mined, or cannot be paid any more, does not come back', async () => {
  const { node } = network.sequencer;
  const first = await start();
  const most = 6_000n * 10n ** 18n;
  const chainId = network.spec.genesis.chainId;
  const taken = await sign(chainId, 0, { value: most });
  await first.pool.submit(taken);
  await first.submit(0, { nonce: 1, value: most });
  const stays = await first.submit(0, { nonce: 2 });
  await first.journal.flush();
  // Killed: the block comes while nobody follows.
  await node.pool?.submit(taken);
  await network.sequencer.build();
  const second = await start();
  expect(second.waiting()).toEqual([stays]);
  expect(second.pool.counts()).toEqual({ pending: 0, queued: 1 });
  await second.stop();
});

test('nobody hears of what is taken back, in whatever order it comes', async () => {
  const { chain } = network.sequencer.node;
  const heard: unknown[] = [];
  const pool = createPool({ chain, common: chain.execution.common, clock: network.clock, log: silentLogger });
  pool.onTransaction((transaction) => heard.push(transaction));
  const nonces = Array.from({ length: 70 }, (_, i) => 69 - i);
  const raws = await Promise.all(nonces.map((nonce) => sign(network.spec.genesis.chainId, 0, { nonce })));
  await pool.restore([Uint8Array.of(1, 2, 3), ...raws]);
  expect(pool.counts()).toEqual({ pending: 70, queued: 0 });
  expect(heard).toEqual([]);
});

test('the disk is written only when something changed, and holds no more than about twice what waits', async () => {
  const run = await start();
  let commits = 0;
  const { batch } = store;
  store.batch = () => {
    commits += 1;
    return batch();
  };
  for (let nonce = 0; nonce < 8; nonce += 1) await run.submit(0, { nonce });
  await run.journal.flush();
  await run.journal.flush();
  expect(commits).toBe(1);
  expect(await rows()).toHaveLength(1);
  // Four of eight are mined: the row stays as it is. One more, and the rest moves to a new row.
  const drop = (count: number): void => {
    const [all] = [...run.pool.content().pending.values()];
    for (const transaction of all?.slice(-count) ?? []) run.pool.drop(transaction);
  };
  drop(4);
  await run.journal.flush();
  expect(commits).toBe(1);
  drop(1);
  await run.journal.flush();
  expect(commits).toBe(2);
  expect(await rows()).toEqual([1n]);
  drop(3);
  await run.journal.flush();
  expect(await rows()).toEqual([]);
  // What came and went between two writes costs none.
  await run.submit(1);
  const [gone] = run.pool.content().pending.get([...run.pool.content().pending.keys()][0] as Hex) ?? [];
  run.pool.drop(gone as never);
  commits = 0;
  await run.journal.flush();
  expect(commits).toBe(0);
  await run.stop();
});

test('a row that cannot be read costs its transactions, not the start', async () => {
  const first = await start();
  const hash = await first.submit(0);
  await first.stop();
  const batch = store.batch();
  batch.put(layout.pooled, 7n, Uint8Array.of(0xf8, 0xff, 1));
  batch.put(layout.pooled, 8n, Uint8Array.of(0x05));
  batch.put(layout.pooled, 9n, Uint8Array.of(0xc3, 0xc2, 1, 2));
  await batch.commit();
  const second = await start();
  expect(second.waiting()).toEqual([hash]);
  expect(await rows()).toEqual([10n]);
  await second.stop();
});

test('a sequencer has its journal loaded before it builds, and written after it has built', () => {
  const names = network.sequencer.node.services.map(({ name }) => name);
  expect(names.slice(-2)).toEqual(['pool-journal', 'sequencer']);
});
