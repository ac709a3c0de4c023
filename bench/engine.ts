import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Kind, SENDERS, signAll } from './engine-load.ts';
import { findAnvil, type StartPeer, startAnvil, startHemid } from './engine-peer.ts';
import { type SendResult, sendAll } from './engine-send.ts';

/*
 * npm run bench -- engine [--quick] [--runs 5] [--accounts 100000] [--transfers 60000] [--erc20 30000] [--warm 15000]
 * [--only hemid|anvil] [--prof DIR]: mined transactions per second of hemid and anvil, one after the other in the same
 * run, each behind as many that are not measured: a node runs for weeks, not for its first seconds. Then how fast blocks
 * are built and imported, and, unless it is quick or of one only, how long a block takes with 10,000 accounts and with
 * 1,000,000. The last line is JSON.
 */

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    runs: { type: 'string' },
    accounts: { type: 'string' },
    transfers: { type: 'string' },
    erc20: { type: 'string' },
    warm: { type: 'string' },
    only: { type: 'string' },
    prof: { type: 'string' },
  },
});
const number = (given: string | undefined, usual: number, quick: number): number => Number(given ?? (values.quick ? quick : usual));
const runs = number(values.runs, 5, 1);
const accounts = number(values.accounts, 100_000, 10_000);
const counts: Record<Kind, number> = { transfers: number(values.transfers, 60_000, 10_000), erc20: number(values.erc20, 30_000, 6_000) };
/** Sent before the clock runs. */
const warm = Math.ceil(number(values.warm, 15_000, 5_000) / SENDERS) * SENDERS;

const work = mkdtempSync(join(process.env['HEMID_BENCH_TMP'] ?? tmpdir(), 'hemid-bench-'));
const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;

function peers(): { name: string; start: StartPeer }[] {
  const prof = values.prof === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.prof}`];
  const list = [{ name: 'hemid', start: startHemid(prof) }];
  try {
    list.push({ name: 'anvil', start: startAnvil(findAnvil()) });
  } catch (error) {
    console.log(`anvil cannot be had: ${(error as Error).message}`);
  }
  return list.filter(({ name }) => values.only === undefined || values.only === name);
}

function inProcess(...args: string[]): Record<string, number> {
  const script = fileURLToPath(new URL('./engine-import.ts', import.meta.url));
  const { stdout, status } = spawnSync(process.execPath, ['--max-old-space-size=12000', ...process.execArgv, script, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`engine-import ${args.join(' ')} ended with ${status}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, number>;
}

const list = peers();
const rates: Record<Kind, Record<string, number[]>> = { transfers: {}, erc20: {} };
const stalls: number[] = [];
try {
  for (let run = 0; run < runs; run += 1) {
    for (const kind of ['transfers', 'erc20'] as const) {
      const first = signAll(kind, { count: warm, accounts, firstNonce: 0 });
      const raws = signAll(kind, { count: counts[kind], accounts, firstNonce: warm / SENDERS });
      for (const { name, start } of list) {
        const directory = join(work, `${name}-${run}-${kind}`);
        const peer = await start(directory, accounts);
        let result: SendResult;
        try {
          // Its start is not its load.
          if (first.length > 0) await sendAll(peer.url, first);
          if (name === 'hemid') await eventLoopDelay(peer.url);
          result = await sendAll(peer.url, raws);
          if (name === 'hemid') stalls.push(await eventLoopDelay(peer.url));
        } finally {
          await peer.stop();
        }
        rates[kind][name] = [...(rates[kind][name] ?? []), result.minedPerS];
        const { minedPerS, acceptedPerS, blocks, refusals } = result;
        console.log(
          `${kind} ${name}: ${Math.round(minedPerS)} mined/s, ${Math.round(acceptedPerS)} accepted/s, ${blocks} blocks, ${refusals} refusals`,
        );
        rmSync(directory, { recursive: true, force: true });
      }
    }
  }

  const built = {
    transfers: inProcess('import', 'transfers', `${accounts}`, '2000', '6'),
    erc20: inProcess('import', 'erc20', `${accounts}`, '1000', '6'),
  };
  const isWhole = !values.quick && values.only === undefined;
  const growth = isWhole
    ? {
        ms10k: inProcess('growth', 'transfers', '10000', '500', '20')['buildMs'],
        ms1M: inProcess('growth', 'transfers', '1000000', '500', '20')['buildMs'],
      }
    : {};
  const compare = (kind: Kind): object => {
    const [hemid, anvil] = [median(rates[kind]['hemid'] ?? []), median(rates[kind]['anvil'] ?? [])];
    return {
      hemid: Math.round(hemid),
      anvil: anvil === 0 ? null : Math.round(anvil),
      ratio: anvil === 0 ? null : Math.round((hemid / anvil) * 100) / 100,
    };
  };
  console.log(
    JSON.stringify({
      transfers: compare('transfers'),
      erc20: compare('erc20'),
      import: { transfersPerS: built.transfers['importPerS'], erc20PerS: built.erc20['importPerS'] },
      growth,
      eventLoopDelayP99Ms: Math.round(median(stalls) * 10) / 10,
      runs,
      accounts,
    }),
  );
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.exit(0);

/** p99 of the event loop's delay as the node's metrics say, in milliseconds; 0 when they do not. */
async function eventLoopDelay(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  return Number(/^hemid_event_loop_delay_p99_seconds (\S+)$/m.exec(metrics)?.[1] ?? 0) * 1000;
}
