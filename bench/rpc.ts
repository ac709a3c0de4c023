import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { toHex } from '../packages/protocol/src/bytes.ts';
import { accountAt, TOKEN } from './engine-load.ts';
import { findAnvil } from './engine-peer.ts';
import type { Peer } from './peer.ts';
import { loadOf } from './rpc-chain.ts';
import { startAnvilWith, startServer } from './rpc-peer.ts';
import { type Measure, measure, toRequests } from './rpc-send.ts';

/*
 * npm run bench -- rpc [--quick] [--runs 3] [--seconds 3] [--only hemid|anvil] [--method eth_call] [--prof DIR]: answers per
 * second and p99 of hemid and anvil with the same blocks, in turn, on 1 and 16 connections. The last line is JSON.
 */

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    runs: { type: 'string' },
    seconds: { type: 'string' },
    only: { type: 'string' },
    method: { type: 'string' },
    prof: { type: 'string' },
  },
});
const runs = Number(values.runs ?? (values.quick ? 1 : 3));
const ms = 1000 * Number(values.seconds ?? (values.quick ? 0.7 : 3));
const CONNECTIONS = [1, 16];
/** Blocks of an eth_getLogs, and blocks full of transactions. */
const [LOG_BLOCKS, FULL_BLOCKS] = [1_000, 20];
const TRANSFER = '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef';

const quantity = (n: number): string => `0x${n.toString(16)}`;
const address = (i: number): string => toHex(accountAt(i));

async function ask(peer: Peer, method: string, ...params: unknown[]): Promise<unknown> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
  const answer = (await (await fetch(peer.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).json()) as {
    result?: unknown;
    error?: { message: string };
  };
  if (answer.error !== undefined) throw new Error(`${method}: ${answer.error.message}`);
  return answer.result;
}

interface Block {
  transactions: string[];
}

/** The questions, several of each method; hashes are the same on both: the transactions are. */
async function questions(peer: Peer): Promise<Record<string, unknown[][]>> {
  const some = Array.from({ length: 64 }, (_, i) => i);
  const full = Array.from({ length: FULL_BLOCKS }, (_, i) => quantity(i + 1));
  const inFull: string[] = [];
  for (const block of full) inFull.push(...((await ask(peer, 'eth_getBlockByNumber', block, false)) as Block).transactions);
  const last = FULL_BLOCKS + LOG_BLOCKS;
  const traced: string[] = [];
  for (let i = 0; i < 32; i += 1) traced.push(...((await ask(peer, 'eth_getBlockByNumber', quantity(last - i * 8), false)) as Block).transactions);
  const range = { fromBlock: quantity(FULL_BLOCKS + 1), toBlock: quantity(last) };
  return {
    eth_blockNumber: [[]],
    eth_getBalance: some.map((i) => [address(i * 13), 'latest']),
    eth_call: some.map((i) => [{ to: TOKEN, data: `0x70a08231${'0'.repeat(24)}${address(i * 13).slice(2)}` }, 'latest']),
    eth_getBlockByNumber: full.map((block) => [block, true]),
    eth_getLogs: [[{ address: TOKEN, topics: [TRANSFER], ...range }]],
    eth_getTransactionReceipt: inFull.map((hash) => [hash]),
    debug_traceTransaction: traced.map((hash) => [hash]),
  };
}

/** Both say the same, as far as it can be the same on two chains. @throws when not. */
async function assertSame(all: Record<string, unknown[][]>, peers: readonly Peer[]): Promise<void> {
  const seen: Record<string, (answer: never) => unknown> = {
    eth_blockNumber: (number) => number,
    eth_getBalance: (balance) => typeof balance,
    eth_call: (output) => output,
    eth_getBlockByNumber: ({ transactions }: { transactions: { hash: string }[] }) => transactions.map(({ hash }) => hash).sort(),
    eth_getLogs: (logs: { data: string; topics: string[] }[]) => logs.map(({ data, topics }) => [data, topics]),
    eth_getTransactionReceipt: ({ logs, status }: { logs: unknown[]; status: string }) => [logs.length, status],
    debug_traceTransaction: ({ structLogs }: { structLogs: unknown[] }) => structLogs.length,
  };
  for (const [method, params] of Object.entries(all)) {
    const answers: string[] = [];
    for (const peer of peers) answers.push(JSON.stringify(seen[method]?.((await ask(peer, method, ...(params.at(-1) ?? []))) as never)));
    if (new Set(answers).size > 1)
      throw new Error(`${method}: the two do not answer the same: ${answers.map((one) => one.slice(0, 200)).join(' | ')}`);
    console.log(`${method}: ${answers[0]?.slice(0, 60)}`);
  }
}

const work = mkdtempSync(join(process.env['HEMID_BENCH_TMP'] ?? tmpdir(), 'hemid-bench-'));
const load = loadOf({ full: FULL_BLOCKS, logs: LOG_BLOCKS });
const peers: { name: string; peer: Peer }[] = [];
const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
const round = (value: number): number => Number(value.toPrecision(3));
const isWanted = (name: string, only: string | undefined): boolean => only === undefined || only === name;
try {
  const prof = values.prof === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.prof}`];
  if (isWanted('hemid', values.only)) peers.push({ name: 'hemid', peer: await startServer(join(work, 'hemid'), load, prof) });
  if (isWanted('anvil', values.only)) peers.push({ name: 'anvil', peer: await startAnvilWith(findAnvil(), join(work, 'anvil'), load) });
  const [first] = peers;
  if (first === undefined) throw new Error('--only must be hemid or anvil');
  const all = await questions(first.peer);
  await assertSame(
    all,
    peers.map(({ peer }) => peer),
  );

  const result: Record<string, Record<string, object>> = {};
  for (const method of Object.keys(all).filter((name) => isWanted(name, values.method))) {
    result[method] = {};
    for (const connections of CONNECTIONS) {
      const measured: Record<string, Measure[]> = {};
      for (let run = 0; run < runs; run += 1) {
        for (const { name, peer } of peers) {
          const requests = toRequests(peer.url, method, all[method] ?? []);
          await measure(peer.url, requests, { connections, ms: ms / 3 });
          measured[name] = [...(measured[name] ?? []), await measure(peer.url, requests, { connections, ms })];
        }
      }
      const of = (name: string, field: keyof Measure): number => round(median((measured[name] ?? []).map((one) => one[field])));
      const [hemid, anvil] = [of('hemid', 'perS'), of('anvil', 'perS')];
      const p99Ms = { hemid: of('hemid', 'p99Ms'), anvil: of('anvil', 'p99Ms') };
      const p99Ratio = p99Ms.hemid === 0 ? 0 : round(p99Ms.anvil / p99Ms.hemid);
      result[method][`c${connections}`] = { hemid, anvil, ratio: anvil === 0 ? null : round(hemid / anvil), p99Ms: { ...p99Ms, ratio: p99Ratio } };
      console.log(
        `${method} c${connections}: ${JSON.stringify(result[method][`c${connections}`])} (${of('hemid', 'bytes')} and ${of('anvil', 'bytes')} bytes)`,
      );
    }
  }
  console.log(JSON.stringify(result));
} finally {
  for (const { peer } of peers) await peer.stop();
  rmSync(work, { recursive: true, force: true });
}
process.exit(0);
