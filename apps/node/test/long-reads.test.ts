import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { wrappedHbtc } from '@hemid/contracts';
import { createRpcDeps, openReadThreads, type ReadThreads } from '@hemid/node';
import { type Hex, toHex } from '@hemid/protocol';
import { createLimits, createRpcServer, type RpcServer } from '@hemid/rpc';
import { createLogger } from '@hemid/runtime';
import { openStore } from '@hemid/store';
import { createManualClock, createTestNetwork, createUser, type ManualClock, type TestNetwork, waitFor } from '@hemid/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEndLock, insideLock, mayEnd } from '../src/end-lock.ts';

const log = createLogger({ level: 'silent', format: 'json' });
const signal = new AbortController().signal;
const LIMITS = { gasCap: 50_000_000n, logBlocks: 10_000n, logs: 20_000 };
const precompile = (byte: string): Hex => `0x${byte.padStart(40, '0')}`;
const quantity = (value: bigint): Hex => `0x${value.toString(16)}`;

let data: string;
let network: TestNetwork;
/** That of the threads: calls are looked at when the test says so. */
let clock: ManualClock;
let reads: ReadThreads;
/** Each call that was handed over: what became of it, and whether it is waited for. */
const handed: { outcome: Promise<unknown>; isOver(): boolean }[] = [];
/** Hands long reads over, and does not. */
let beside: RpcServer;
let alone: RpcServer;
let token: Hex;

beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'hemid-reads-'));
  const directory = join(data, 'node');
  network = await createTestNetwork({ store: await openStore(directory, { threads: 'several' }) });
  clock = createManualClock(network.clock.now());
  const { node } = network.sequencer;
  reads = openReadThreads(node, { directory, threads: 1 }, { clock, log }) as ReadThreads;
  const options = { host: '127.0.0.1', port: 0, limits: createLimits({ rpcCheckAnswers: true }) };
  const run: ReadThreads['run'] = (call, isOver) => {
    const answer = reads.run(call, isOver);
    handed.push({ outcome: answer.catch((error: unknown) => error), isOver });
    return answer;
  };
  beside = createRpcServer(createRpcDeps(node, { clock, log, longReads: { ...reads, run } }), options);
  alone = createRpcServer(createRpcDeps(node, { clock, log }), options);
  await beside.start(signal);
  await alone.start(signal);
  token = await createUser(node, 0).deploy(wrappedHbtc);
  await network.sequencer.build();
});
afterAll(async () => {
  await beside.stop();
  await alone.stop();
  await reads.stop();
  await network.close();
  // Nothing of the threads is left, of those that were ended neither: the database is free.
  await (await openStore(join(data, 'node'))).close();
  rmSync(data, { recursive: true });
});

async function ask({ url }: RpcServer, method: string, ...params: unknown[]): Promise<string> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  return (await fetch(url(), { method: 'POST', headers: { 'content-type': 'application/json' }, body })).text();
}

/** A block with a deposit into the token, and a call that reads Bitcoin. @returns their hashes. */
async function buildBusyBlock(user = createUser(network.sequencer.node, 0)): Promise<[deposit: Hex, reading: Hex]> {
  const deposit = await user.send({ to: token, value: 5n });
  const reading = await user.send({ to: precompile('44') });
  await network.bitcoin.mineBlocks(1);
  await network.sequencer.build();
  return [deposit, reading];
}

/** Code that goes round for as long as it has gas. */
const loop = () => ({ [token]: { code: '0x5b600056' } });
/** A block whose one call takes longer than anybody waits, and does not look up once. */
const endless = () => ({
  method: 'eth_simulateV1',
  params: [
    {
      blockStateCalls: [
        { blockOverrides: { gasLimit: quantity(10n ** 16n) }, stateOverrides: loop(), calls: [{ to: token, gas: quantity(10n ** 15n) }] },
      ],
    },
  ],
  limits: { ...LIMITS, gasCap: 10n ** 16n },
});
const height = { method: 'debug_traceBlockByNumber', params: ['latest', { tracer: 'callTracer' }], limits: LIMITS };

test('a thread answers what the main thread answers, errors too, while blocks go on', async () => {
  const [deposit, reading] = await buildBusyBlock();
  const hash = toHex(network.sequencer.node.chain.head('latest').hash);
  await network.sequencer.build(2);
  const tracers = [{}, { tracer: 'callTracer', tracerConfig: { withLog: true } }, { tracer: 'prestateTracer', tracerConfig: { diffMode: true } }];
  const fine: [string, ...unknown[]][] = [
    ...tracers.map((tracer): [string, ...unknown[]] => ['debug_traceTransaction', deposit, tracer]),
    ['debug_traceTransaction', reading, { tracer: 'callTracer' }],
    ['debug_traceBlockByHash', hash, { tracer: 'flatCallTracer' }],
    ['debug_traceBlockByNumber', '0x2'],
    ['debug_traceCall', { to: token, gas: '0x30d40' }, 'pending', { tracer: 'callTracer', stateOverrides: loop() }],
    ['eth_simulateV1', { blockStateCalls: [{ calls: [{ to: precompile('44') }, { to: token, data: '0x12345678' }] }], traceTransfers: true }, '0x2'],
    ['ots_traceTransaction', deposit],
    ['ots_getInternalOperations', deposit],
    ['ots_getTransactionError', deposit],
    ['ots_getContractCreator', token],
    ['ots_searchTransactionsBefore', token, 3, 5],
    ['ots_searchTransactionsAfter', token, 0, 1],
    ['ots_getTransactionBySenderAndNonce', createUser(network.sequencer.node, 0).address, 1],
  ];
  const refused: [string, ...unknown[]][] = [
    ['debug_traceBlockByNumber', 'finalized'],
    ['debug_traceBlockByHash', deposit],
    ['eth_simulateV1', { blockStateCalls: [{ blockOverrides: { number: '0x1' } }] }, '0x2'],
    ['debug_traceTransaction', hash],
    ['debug_traceTransaction'],
  ];
  const calls = [...fine, ...refused];
  const here = await Promise.all(calls.map((call) => ask(alone, ...call)));
  const [there] = await Promise.all([Promise.all(calls.map((call) => ask(beside, ...call))), network.sequencer.build(3)]);
  for (const [i, call] of calls.entries()) expect(there[i], JSON.stringify(call)).toBe(here[i]);
  const withError = here.map((text) => 'error' in JSON.parse(text));
  expect(withError).toEqual(calls.map((_, i) => i >= fine.length));
  // The last one is refused before anybody reads.
  expect(reads.counts()).toEqual({ calls: 0, answered: calls.length - 1, lost: 0 });
  // A search of few blocks is sooner done than handed over.
  const short: [string, ...unknown[]] = ['eth_getLogs', { blockHash: hash }];
  expect(await ask(beside, ...short)).toBe(await ask(alone, ...short));
  expect(reads.counts().answered).toBe(calls.length - 1);
});

test('each call sees the chain as it is when it comes: a block that was taken back is not there', async () => {
  const { chain } = network.sequencer.node;
  const logs = async (): Promise<{ blockHash: Hex }[]> => JSON.parse(await ask(beside, 'eth_getLogs', { fromBlock: '0x1', address: token })).result;
  const before = await logs();
  const [deposit] = await buildBusyBlock();
  const hash = toHex(chain.head('latest').hash);
  expect((await logs()).map(({ blockHash }) => blockHash)).toEqual([...before.map(({ blockHash }) => blockHash), hash, hash]);
  await chain.rollback(1n);
  expect(await logs()).toEqual(before);
  const gone = [await ask(beside, 'debug_traceTransaction', deposit), await ask(beside, 'eth_getLogs', { blockHash: hash })];
  expect(gone.map((text) => JSON.parse(text).error.message)).toEqual(['transaction not found', `unknown block ${hash}`]);
  await buildBusyBlock();
  expect(await logs()).toHaveLength(before.length + 2);
});

test('a call that nobody waits for any more ends, and the thread goes on with others', async () => {
  const { lost } = reads.counts();
  let isOver = false;
  const options = { tracer: 'callTracer', stateOverrides: loop() };
  const left = reads
    .run({ method: 'debug_traceCall', params: [{ to: token }, 'latest', options], limits: LIMITS }, () => isOver)
    .catch((error) => error);
  isOver = true;
  await clock.advance(100);
  expect(await left).toMatchObject({ code: 'rpc/timeout', message: 'nobody waits for this trace any more' });
  expect(reads.counts()).toMatchObject({ calls: 0, lost });
});

test('so does that of a client who hung up', async () => {
  const client = new AbortController();
  const body = JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'debug_traceCall',
    params: [{ to: token }, 'latest', { stateOverrides: loop(), limit: 1 }],
  });
  const reply = fetch(beside.url(), { method: 'POST', body, signal: client.signal }).catch((error: Error) => error.name);
  await waitFor(() => reads.counts().calls === 1, { timeoutMs: 20_000, what: 'the call to come' });
  client.abort();
  expect(await reply).toBe('AbortError');
  await waitFor(() => handed.at(-1)?.isOver(), { timeoutMs: 20_000, what: 'the server to see it' });
  await clock.advance(100);
  expect(await handed.at(-1)?.outcome).toMatchObject({ code: 'rpc/timeout' });
});

test('so does one whose time is over', async () => {
  const late = ask(beside, 'debug_traceCall', { to: token }, 'latest', { stateOverrides: loop(), limit: 1 });
  await waitFor(() => reads.counts().calls === 1, { timeoutMs: 20_000, what: 'the call to come' });
  await clock.advance(30_500);
  expect(JSON.parse(await late)).toMatchObject({ error: { code: -32002, message: 'request timed out after 30000 ms: ask for less at once' } });
  expect(await handed.at(-1)?.outcome).toMatchObject({ code: 'rpc/timeout', message: 'nobody waits for this trace any more' });
});

test('a thread that does not listen is ended; another one answers those who still wait, and a call is not asked for ever', async () => {
  const { lost } = reads.counts();
  let isOver = false;
  await reads.run(height, () => false);
  const stuck = reads.run(endless(), () => isOver).catch((error) => error);
  const before = process.cpuUsage().user;
  await waitFor(() => process.cpuUsage().user - before > 1_000_000, { timeoutMs: 30_000, what: 'the thread to be busy for a second' });
  const waits = ask(beside, 'debug_traceBlockByNumber', '0x2');
  const wrecks = ask(beside, 'eth_getLogs', { fromBlock: '0x0', toBlock: '0x7777' });
  await waitFor(() => reads.counts().calls === 3, { timeoutMs: 20_000, what: 'three calls at once' });
  isOver = true;
  await clock.advance(3_100);
  expect(await stuck).toMatchObject({ code: 'node/read-lost', severity: 'retry', message: 'nobody waits for this call any more' });
  expect(await waits).toBe(await ask(alone, 'debug_traceBlockByNumber', '0x2'));
  expect(JSON.parse(await wrecks)).toMatchObject({ error: { message: expect.stringMatching(/beyond current head/) } });
  expect(reads.counts()).toMatchObject({ calls: 0, lost: lost + 1 });
});

test('a thread is not ended while it makes something that only it could close', () => {
  const lock = createEndLock();
  expect(insideLock(lock, () => [mayEnd(lock), mayEnd(lock)])).toEqual([false, false]);
  expect(() =>
    insideLock(lock, () => {
      throw new Error('not made');
    }),
  ).toThrow('not made');
  expect(mayEnd(lock)).toBe(true);
});

test('when no thread can work a call fails and the node does not', async () => {
  const broken = openReadThreads(network.sequencer.node, { directory: join(data, 'nowhere'), threads: 2 }, { clock, log }) as ReadThreads;
  await expect(broken.run(height, () => false)).rejects.toMatchObject({ code: 'node/read-lost', message: expect.stringMatching(/ended, twice/) });
  expect(broken.counts()).toEqual({ calls: 0, answered: 0, lost: 2 });
  await broken.stop();
  await expect(broken.run(height, () => false)).rejects.toMatchObject({ code: 'node/read-lost', message: 'the node stops' });
});
