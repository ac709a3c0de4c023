import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startBitcoind, startProgram, waitFor, waitForOutput } from '@hemid/testkit';
import { createPublicClient, http, type PublicClient } from 'viem';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectTbc } from '../public-programs.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ENTRY = 'apps/node/src/main.ts';
const ACCOUNT = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const FUNDS = 10_000n * 10n ** 18n;

let data: string;
beforeEach(() => {
  data = join(mkdtempSync(join(tmpdir(), 'hemid-dev-')), 'net');
});
afterEach(() => rmSync(join(data, '..'), { recursive: true, force: true }));

const args = (...more: string[]): string[] => [
  'dev',
  '--data',
  data,
  '--rpc-port',
  '0',
  '--bitcoin-rpc-port',
  '0',
  '--bitcoin-block-seconds',
  '0.4',
  ...more,
];
const endpoints = (): { rpc: string; tbc: string; finality: string; bitcoin: string; pid: number } =>
  JSON.parse(readFileSync(join(data, 'dev.json'), 'utf8'));
const connect = (): PublicClient => createPublicClient({ transport: http(endpoints().rpc) });
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test('hemid dev: headers enter blocks, the first deposit arrives, a keystone is published, blocks become safe and finalized; kill -9 loses nothing', async () => {
  const first = startProgram(ENTRY, args());
  await waitForOutput(first, /Try:/);
  let client = connect();
  await waitFor(async () => (await client.getBlock({ blockTag: 'finalized' })).number > 0n, { timeoutMs: 60_000, what: 'a finalized block' });
  expect((await client.getBlock({ blockTag: 'safe' })).number).toBeGreaterThan(0n);
  expect(await client.getBalance({ address: ACCOUNT })).toBe(FUNDS + 998_000n * 10n ** 10n);
  expect(first.output()).toMatch(/L2 #\d+ .*btc headers.*unsafe \d+ safe \d+ finalized \d+ .*pop keystone \d+/);
  const keystones = (await client.request({ method: 'kss_getLatestKeystones', params: [1] } as never)) as {
    keystones: { l2_block_number: number }[];
  };
  expect(keystones.keystones[0]?.l2_block_number).toBeGreaterThan(0);
  const { tbc, finality } = endpoints();
  expect(first.output()).toContain(`PoP       TBC ${tbc}   finality ${finality}/v2/keystonefinality/<hash>`);
  expect((await fetch(`${finality}/v2/keystonefinality/${'ab'.repeat(32)}`)).status).toBe(404);
  const miner = await connectTbc(tbc);
  expect(await miner.call('sync-status', {})).toMatchObject({ synced: true });
  miner.close();
  const stranger = `0x${'5a'.repeat(20)}` as const;
  expect(await client.request({ method: 'hardhat_setBalance', params: [stranger, '0x2a'] } as never)).toBe(true);
  const head = await client.getBlock();
  await first.kill();

  const second = startProgram(ENTRY, args());
  await waitForOutput(second, /Try:/);
  client = connect();
  expect((await client.getBlock({ blockNumber: head.number })).hash).toBe(head.hash);
  expect(await client.getBalance({ address: stranger })).toBe(42n);
  await waitFor(async () => (await client.getBlockNumber()) > head.number + 2n, { timeoutMs: 30_000, what: 'more blocks' });
  expect((await client.getLogs({ fromBlock: 0n, toBlock: head.number })).length).toBeGreaterThan(0);
  expect(await client.request({ method: 'debug_traceBlockByHash', params: [head.hash, { tracer: 'callTracer' }] } as never)).toBeInstanceOf(Array);
  // A trace is a long read, a search of few blocks is none.
  const metrics = await (await fetch(`${endpoints().rpc}/metrics`)).text();
  expect(metrics).toMatch(/^hemid_rpc_long_reads_answered 1$/m);
  expect(metrics).toMatch(/^hemid_rpc_workers_lost 0$/m);
  const third = startProgram(ENTRY, args());
  await waitFor(() => third.end() !== undefined, { timeoutMs: 30_000, what: 'a second node on the same data to give up' });
  expect(third.end()).toBe(2);
  expect(third.output()).toMatch(/is in use by another process/);
  expect(await second.stop()).toBe(0);
}, 180_000);

/** `npm start` with its own group, as a terminal would run it. */
function npmStart(...more: string[]): { child: ChildProcess; output: () => string } {
  const child = spawn('npm', ['start', '--', ...args(...more).slice(1)], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, output: () => output };
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`npm start stops at ${signal}, and leaves no process behind`, async () => {
    const { child, output } = npmStart();
    await waitFor(() => existsSync(join(data, 'dev.json')) && /Try:/.test(output()), {
      timeoutMs: 60_000,
      what: () => `the banner; so far ${output()}`,
    });
    const { pid } = endpoints();
    expect(isAlive(pid)).toBe(true);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
    await waitFor(() => !isAlive(pid), { timeoutMs: 5_000, what: 'the node to end' });
  }, 120_000);
}

test('hemid dev --bitcoind runs on a real bitcoind, given as a binary or as a URL, and refuses another network', async () => {
  const binary = process.env['BITCOIND'] ?? execFileSync('sh', [join(ROOT, 'scripts/bitcoind.sh')], { encoding: 'utf8' }).trim();
  const own = startProgram(ENTRY, args('--bitcoind', binary));
  await waitForOutput(own, /Bitcoin {3}bitcoind, height 110/, 60_000);
  await waitFor(async () => (await connect().getBlockNumber()) > 2n, { timeoutMs: 30_000, what: 'blocks' });
  expect(await own.stop()).toBe(0);

  rmSync(data, { recursive: true });
  const bitcoind = await startBitcoind();
  try {
    const url = bitcoind.url.replace('//', `//${bitcoind.user}:${bitcoind.password}@`);
    const foreign = startProgram(ENTRY, args('--bitcoind', url));
    await waitForOutput(foreign, /Bitcoin {3}bitcoind, height 110/, 60_000);
    expect(foreign.output()).not.toContain(bitcoind.password.repeat(2));
    expect(await foreign.stop()).toBe(0);
    const wrong = startProgram(ENTRY, args('--bitcoind', url.replace(bitcoind.password, 'nonsense')));
    await waitFor(() => wrong.end() !== undefined, { timeoutMs: 30_000, what: 'wrong credentials to be refused' });
    expect(wrong.end()).toBe(2);
    expect(wrong.output()).toMatch(/bitcoin\/credentials/);
  } finally {
    await bitcoind.stop();
  }
}, 240_000);

test('wrong options, a wrong chain file and a folder that is not a network are refused with one clear line', async () => {
  async function refusal(...argv: string[]): Promise<string> {
    const program = startProgram(ENTRY, argv);
    await waitFor(() => program.end() !== undefined, { timeoutMs: 30_000, what: 'the program to end' });
    expect(program.end(), program.output()).toBe(2);
    return program.output();
  }
  expect(await refusal('dev', '--rpc-port', 'x')).toMatch(/rpcPort/);
  expect(await refusal('dev', '--tbc-address', 'here')).toMatch(/tbcAddress: must look like 127\.0\.0\.1:8082/);
  expect(await refusal('dev', '--surprise')).toMatch(/surprise.*Try --help/);
  expect(await refusal('fly')).toMatch(/unknown command "fly"/);
  expect(await refusal('node', '--role', 'verifier', '--chain', 'configs/dev.json', '--bitcoind', 'http://127.0.0.1:1')).toMatch(
    /configs\/dev\.json: .*genesis\.time/,
  );
  expect(await refusal('node', '--role', 'verifier', '--chain', 'configs/regtest.json', '--bitcoind', 'http://127.0.0.1:1')).toMatch(/--upstream/);
  writeFileSync(join(data, '..', 'precious.txt'), 'keep me');
  expect(await refusal('dev', '--fresh', '--data', join(data, '..'))).toMatch(/precious\.txt/);
  expect(existsSync(join(data, '..', 'precious.txt'))).toBe(true);
}, 120_000);
