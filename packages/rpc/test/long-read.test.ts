import type { ChainReader } from '@hemid/chain';
import { HemidError } from '@hemid/protocol';
import { createLimits, createLongReader, createRpcContext, invoke, type LongRead, type LongReads, methods } from '@hemid/rpc';
import { type Hex, padHex } from 'viem';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Fixture, openFixture } from './fixture.ts';

let f: Fixture;
let contract: Hex;
let ping: Hex;
beforeAll(async () => {
  f = await openFixture();
  contract = await f.deploySignal();
  ping = await f.ping(contract, padHex('0x07', { size: 32 }));
  await f.build();
});
afterAll(() => f.close());

/** A context that hands long reads to `run`; what it was handed is in `handed`. */
function contextOf(run: LongReads['run'], config: Parameters<typeof createLimits>[0] = {}, chain: ChainReader = f.deps.chain) {
  const handed: LongRead[] = [];
  const longReads: LongReads = {
    run(call, isOver) {
      handed.push(call);
      return run(call, isOver);
    },
  };
  return { handed, context: createRpcContext({ ...f.deps, chain, longReads }, createLimits({ rpcCheckAnswers: true, ...config })) };
}

/** Reads as another thread would, in this one. */
const reader = createLongReader();
const readHere: LongReads['run'] = (call, isOver) => reader.run(call, { chain: f.deps.chain, isOver });

it('has every method that executes blocks again or searches them, and no other', () => {
  const long = Object.entries(methods).flatMap(([name, { isLong }]) => (isLong === undefined ? [] : name));
  expect(long.filter((name) => !/^(debug_trace|ots_)/.test(name))).toEqual(['eth_simulateV1', 'eth_getLogs']);
  expect(Object.keys(methods).filter((name) => name.startsWith('debug_trace') && !long.includes(name))).toEqual([]);
});

it('hands long reads over as they came, with the limits of the server, and gives the same answers', async () => {
  const config = { rpcLogs: 7, rpcLogBlocks: 8, rpcGasCap: 90_000 };
  const { handed, context } = contextOf(readHere, config);
  const here = createRpcContext(f.deps, createLimits(config));
  const limits = { logs: 7, logBlocks: 8n, gasCap: 90_000n };
  const calls: [string, unknown][] = [
    ['debug_traceTransaction', [ping, { tracer: 'callTracer' }]],
    ['eth_simulateV1', [{ blockStateCalls: [{ calls: [{ to: contract }] }] }, null]],
    ['ots_traceTransaction', { hash: ping }],
  ];
  for (const [method, params] of calls) {
    expect(await invoke(method, params, context), method).toEqual(await invoke(method, params, here));
    expect(handed.at(-1)).toEqual({ method, params, limits });
  }
  await invoke('eth_call', [{ to: contract }, 'latest'], context).catch(() => undefined);
  await invoke('eth_getBlockByNumber', ['latest', true], context);
  expect(handed).toHaveLength(calls.length);
  await expect(reader.run({ method: 'eth_blockNumber', params: [], limits }, { chain: f.deps.chain, isOver: () => false })).rejects.toMatchObject({
    code: 'rpc/method-not-found',
  });
  here.close();
  context.close();
});

it('hands searches for logs over when they go over more than two thousand blocks, and finds the same', async () => {
  const head = f.chain.head('latest');
  const top = { ...head, header: { ...head.header, number: 25_000n } };
  const { handed, context } = contextOf(async () => '[]', {}, { ...f.chain, head: () => top, headerAt: () => top });
  expect(await invoke('eth_getLogs', [{ fromBlock: '0x1000', toBlock: '0x17ff' }], context)).toEqual([]);
  expect(handed).toEqual([]);
  expect(await invoke('eth_getLogs', [{ fromBlock: '0x1000', toBlock: '0x1800' }], context)).toEqual([]);
  expect(handed).toMatchObject([{ method: 'eth_getLogs' }]);
  context.close();

  const params = [{ fromBlock: '0x0', address: contract }];
  const limits = { logs: 20_000, logBlocks: 10_000n, gasCap: 1n };
  const found = await readHere({ method: 'eth_getLogs', params, limits }, () => false);
  const here = createRpcContext(f.deps);
  expect(JSON.parse(String(found))).toEqual(await invoke('eth_getLogs', params, here));
  expect(JSON.parse(String(found))).toHaveLength(1);
  here.close();
});

it('hands the logs of a filter over when it goes over as many blocks, by what it was opened with', async () => {
  const head = f.chain.head('latest');
  const top = { ...head, header: { ...head.header, number: 25_000n } };
  const { handed, context } = contextOf(async () => '[]', {}, { ...f.chain, head: () => top, headerAt: () => top });
  const topic = padHex('0x07', { size: 32 });
  const filters = [
    { address: [contract], topics: [null, [topic]], fromBlock: '0x1000', toBlock: '0x1800' },
    { address: [], topics: [[topic]], fromBlock: '0x1', toBlock: 'latest' },
  ];
  for (const filter of filters) {
    const id = await invoke('eth_newFilter', [filter], context);
    expect(await invoke('eth_getFilterLogs', [id], context)).toEqual([]);
    expect(handed.at(-1)).toMatchObject({ method: 'eth_getLogs', params: [filter], limits: { logBlocks: 10_000n } });
  }
  const narrow = await invoke('eth_newFilter', [{ fromBlock: '0x1000', toBlock: '0x1001' }], context);
  expect(await invoke('eth_getFilterLogs', [narrow], context)).toEqual([]);
  expect(handed).toHaveLength(filters.length);
  context.close();
});

it('reads parameters and allow-lists before anybody is asked', async () => {
  const { handed, context } = contextOf(readHere, { rpcMethods: '*,-eth_getLogs' });
  await expect(invoke('debug_traceTransaction', ['0x12'], context)).rejects.toMatchObject({ code: 'rpc/invalid-params' });
  await expect(invoke('eth_getLogs', [{}], context)).rejects.toMatchObject({ code: 'rpc/method-not-found' });
  expect(handed).toEqual([]);
  context.close();
});

it('holds what comes back against the form that is promised, and lets errors through as they are', async () => {
  const wrong = contextOf(async () => '{"neither":"a list"}');
  await expect(invoke('debug_traceBlockByNumber', ['latest'], wrong.context)).rejects.toThrow(/not what the method promises/);
  wrong.context.close();
  const error = new HemidError('rpc/reverted', 'invalid', 'execution reverted', { details: { data: '0x1234' } });
  const failing = contextOf(() => Promise.reject(error));
  await expect(invoke('eth_simulateV1', [{ blockStateCalls: [{}] }], failing.context)).rejects.toBe(error);
  failing.context.close();
});

it('says that a call is over when its time is, while the client hears of it', async () => {
  let isOver: (() => boolean) | undefined;
  const { context } = contextOf((_, over) => {
    isOver = over;
    return new Promise(() => undefined);
  });
  const answer = invoke('debug_traceBlockByNumber', ['latest'], context).catch((error: unknown) => error);
  await f.clock.advance(29_000);
  expect(isOver?.()).toBe(false);
  await f.clock.advance(1_500);
  expect(await answer).toMatchObject({ code: 'rpc/timeout' });
  expect(isOver?.()).toBe(true);
  context.close();
});
