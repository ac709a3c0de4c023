import { methods } from '@hemid/rpc';
import { createSeededRandom } from '@hemid/testkit';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Answer, type Fixture, openFixture } from './fixture.ts';
import { alice, beggar } from './test-chain.ts';

/** Calls: HEMID_RPC_FUZZ, or 60,000 in the long run, or 1500. */
const CALLS = Number(process.env['HEMID_RPC_FUZZ'] ?? (process.env['HEMID_LONG'] === undefined ? 1500 : 60_000));
const SEED = Number(process.env['HEMID_RPC_FUZZ_SEED'] ?? 1);
const BATCH = 25;
const INTERNAL_ERROR = -32603;

let f: Fixture;
let hash: string;
let contract: string;
beforeAll(async () => {
  f = await openFixture();
  contract = await f.deploySignal();
  hash = await f.ping(contract as `0x${string}`, `0x${'07'.repeat(32)}`);
  await f.build();
});
afterAll(() => f.close());

const random = createSeededRandom(SEED);
const below = (limit: number): number => random.between(0, limit - 1);
const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;

/** Values that methods ask for, and such that they do not expect. */
function value(depth: number): unknown {
  const hex = `0x${Array.from({ length: 2 * below(40) }, () => below(16).toString(16)).join('')}`;
  const plain: unknown[] = [
    null,
    true,
    -1,
    0,
    1.5,
    2 ** 53,
    1e308,
    '',
    'latest',
    'finalized',
    'pending',
    'earliest',
    '0x',
    '0x0',
    '0x1',
    '0x2',
    '0x3e8',
    `0x${'f'.repeat(64)}`,
    hex,
    hash,
    contract,
    alice.address,
    beggar.address,
    'x'.repeat(below(300)),
    '\u0000\ud800',
    '__proto__',
    'callTracer',
    'logs',
  ];
  const composed: (() => unknown)[] = [
    () => Array.from({ length: below(4) }, () => value(depth + 1)),
    () => ({ [String(value(9))]: value(depth + 1), ['__proto__']: 1 }),
    () => ({ from: alice.address, to: pick([contract, beggar.address, null]), data: hex, gas: value(9), value: value(9) }),
    () => ({ fromBlock: value(9), toBlock: value(9), address: value(9), topics: value(depth + 1) }),
    () => ({ tracer: pick(['callTracer', 'prestateTracer', 'muxTracer', 'flatCallTracer', '4byteTracer', hex]), tracerConfig: value(depth + 1) }),
    () => ({ [contract]: { code: hex, balance: value(9), state: value(depth + 1), stateDiff: value(depth + 1), nonce: value(9) } }),
    () => ({
      blockStateCalls: [{ blockOverrides: value(depth + 1), stateOverrides: value(depth + 1), calls: [value(depth + 1)] }],
      validation: value(9),
    }),
    () => ({ number: value(9), time: value(9), gasLimit: value(9), baseFeePerGas: value(9) }),
    () => ({ blockHash: value(9), blockNumber: value(9) }),
  ];
  return depth < 4 && below(3) === 0 ? pick(composed)() : pick(plain);
}

/** Parameters that would do, for the methods with most behind them. */
const GOOD: Record<string, () => unknown[]> = {
  eth_call: () => [{ from: alice.address, to: contract, data: '0x' }, 'latest'],
  eth_simulateV1: () => [{ blockStateCalls: [{ calls: [{ from: alice.address, to: contract }] }] }, 'latest'],
  debug_traceTransaction: () => [hash, { tracer: 'callTracer' }],
  debug_traceBlockByNumber: () => ['0x2', { tracer: 'prestateTracer', tracerConfig: { diffMode: true } }],
  debug_traceCall: () => [{ to: contract }, 'latest', { tracer: 'muxTracer', tracerConfig: { callTracer: {} } }],
  eth_getLogs: () => [{ fromBlock: '0x0', topics: [null] }],
  eth_feeHistory: () => ['0x5', 'latest', [10, 90]],
  eth_getProof: () => [contract, [], 'latest'],
  ots_searchTransactionsBefore: () => [contract, 0, 5],
};

/** Changes something, somewhere in a value. */
function mutate(good: unknown): unknown {
  if (below(4) === 0) return value(0);
  if (Array.isArray(good) && good.length > 0) return good.with(below(good.length), mutate(pick(good)));
  if (typeof good === 'object' && good !== null && Object.keys(good).length > 0) {
    const key = pick(Object.keys(good));
    return { ...good, [key]: mutate((good as Record<string, unknown>)[key]) };
  }
  return value(2);
}

function paramsOf(method: string): unknown {
  const good = GOOD[method]?.();
  if (good !== undefined && below(2) === 0) return mutate(good);
  return below(12) === 0 ? value(0) : Array.from({ length: below(5) }, () => value(0));
}

it('answers whatever it is asked: a result, or an error of the one who asked', { timeout: 600_000 }, async () => {
  const names = Object.keys(methods);
  for (let asked = 0; asked < CALLS; asked += BATCH) {
    const batch = Array.from({ length: BATCH }, (_, id) => {
      const method = names[(asked + id) % names.length] as string;
      return { jsonrpc: '2.0', id, method, params: paramsOf(method) };
    });
    const response = await fetch(f.server.url(), { method: 'POST', body: JSON.stringify(batch) });
    expect(response.status).toBe(200);
    const answers = (await response.json()) as Answer[];
    expect(answers).toHaveLength(BATCH);
    for (const { id, error } of answers) {
      const question = JSON.stringify(batch[id]).slice(0, 2000);
      if (error !== undefined) expect(error.code, question).not.toBe(INTERNAL_ERROR);
    }
  }
  expect((await f.call('eth_blockNumber')).result).toBe('0x2');
});
