import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { toHex } from '../packages/protocol/src/bytes.ts';
import { type Kind, SENDERS, signAll } from './engine-load.ts';
import { startHemid } from './engine-peer.ts';

/*
 * npm run bench -- soak [--minutes 30] [--rate 1000] [--accounts 100000]: a sequencer under a steady load of transfers and
 * token transfers, and the memory it takes meanwhile. The last line is JSON.
 */

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    rate: { type: 'string', default: '1000' },
    accounts: { type: 'string', default: '100000' },
  },
});
const [minutes, rate, accounts] = [Number(values.minutes), Number(values.rate), Number(values.accounts)];
const PARTS = 10;
const BATCH = 100;

const work = mkdtempSync(join(process.env['HEMID_BENCH_TMP'] ?? tmpdir(), 'hemid-soak-'));
const peer = await startHemid()(join(work, 'hemid'), accounts);
const rssMb = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${peer.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
const median = (list: readonly number[]): number => Math.round([...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0);

async function rpc(body: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  return (await fetch(peer.url, { method: 'POST', headers, body: JSON.stringify(body) })).json();
}

/** Sends a list in batches. @throws when one of it is refused. */
async function send(raws: readonly Uint8Array[]): Promise<void> {
  for (let from = 0; from < raws.length; from += BATCH) {
    const calls = raws.slice(from, from + BATCH).map((raw, id) => ({ jsonrpc: '2.0', id, method: 'eth_sendRawTransaction', params: [toHex(raw)] }));
    const answers = (await rpc(calls)) as { error?: { message: string } }[];
    const refused = answers.find(({ error }) => error !== undefined)?.error;
    if (refused !== undefined) throw new Error(`a transaction was refused: ${refused.message}`);
  }
}

const samples: { atMs: number; mb: number }[] = [];
let sent = 0;
try {
  const startMs = performance.now();
  const endMs = startMs + minutes * 60_000;
  let firstNonce = 0;
  while (performance.now() < endMs) {
    const kind: Kind = (firstNonce / (rate / SENDERS)) % 2 === 0 ? 'transfers' : 'erc20';
    await send(signAll(kind, { count: rate, accounts, firstNonce }));
    sent += rate;
    firstNonce += rate / SENDERS;
    samples.push({ atMs: performance.now() - startMs, mb: rssMb() });
    if (samples.length % 60 === 0) console.log(`${Math.round((performance.now() - startMs) / 1000)} s: ${sent} sent, ${Math.round(rssMb())} MB`);
    await sleep(Math.max(0, startMs + (sent / rate) * 1000 - performance.now()));
  }
  const seconds = (performance.now() - startMs) / 1000;
  const head = Number(((await rpc({ jsonrpc: '2.0', id: 1, method: 'eth_blockNumber', params: [] })) as { result: string }).result);
  const parts = Array.from({ length: PARTS }, (_, i) =>
    median(samples.filter(({ atMs }) => Math.floor((atMs / (seconds * 1000)) * PARTS) === i).map(({ mb }) => mb)),
  );
  // The first parts are the caches filling; a flat line is one that does not rise behind them.
  const [early, late] = [median(parts.slice(3, 6)), median(parts.slice(7))];
  const growthPercent = Math.round((late / early - 1) * 1000) / 10;
  console.log(JSON.stringify({ minutes, txPerS: Math.round(sent / seconds), blocks: head, rssMb: parts, growthPercent }));
} finally {
  await peer.stop();
  rmSync(work, { recursive: true, force: true });
}
process.exit(0);
