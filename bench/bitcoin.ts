import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { cachedChain, GENESIS_HEIGHT, SHAPE } from './bitcoin-chain.ts';
import { onCore, startBenchBitcoind } from './bitcoind.ts';

/*
 * npm run bench -- bitcoin: hemid's index beside `bitcoind -reindex -txindex -coinstatsindex` over the same blocks, in
 * the same run, each on core 0 (bitcoind serves blocks from core 1); then calls of the precompiles. The last line is JSON.
 */

const cache = process.env['HEMID_BENCH_CACHE'] ?? join(homedir(), '.cache', 'hemid-bench');
const round = (value: number, digits: number): number => Math.round(value * 10 ** digits) / 10 ** digits;

function runNode(...args: string[]): Record<string, unknown> {
  const script = fileURLToPath(new URL('./bitcoin-node.ts', import.meta.url));
  const command = [...onCore(0), process.execPath, ...process.execArgv, script, ...args];
  const { stdout, status } = spawnSync(command[0] as string, command.slice(1), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  if (status !== 0) throw new Error(`bitcoin-node ${args[0]} ended with ${status}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
}

async function reindex(datadir: string, height: number): Promise<number> {
  const started = performance.now();
  const bitcoind = await startBenchBitcoind(datadir, ['-reindex', '-txindex', '-coinstatsindex', '-par=1'], 0);
  type Indexes = Record<string, { synced: boolean; best_block_height: number }>;
  for (;;) {
    const indexes = Object.values((await bitcoind.rpc('getindexinfo', [])) as Indexes);
    const isDone = indexes.length === 2 && indexes.every(({ synced, best_block_height }) => synced && best_block_height === height);
    if (isDone && (await bitcoind.rpc('getblockcount', [])) === height) break;
    await sleep(50);
  }
  const seconds = (performance.now() - started) / 1000;
  await bitcoind.stop();
  return seconds;
}

const chain = await cachedChain(cache, SHAPE);
const work = mkdtempSync(join(process.env['HEMID_BENCH_TMP'] ?? tmpdir(), 'hemid-bench-'));
try {
  const datadir = join(work, 'bitcoind');
  cpSync(chain, datadir, { recursive: true });
  const height = GENESIS_HEIGHT + 1 + SHAPE.blocks;
  const transactions = SHAPE.blocks * (SHAPE.transactions + 1);
  const [spec, store] = [join(chain, 'spec.json'), join(work, 'store')];

  const bitcoind = await startBenchBitcoind(datadir, [], 1);
  const index = runNode('index', store, spec, bitcoind.url) as { seconds: number; cpuSeconds: number; blocks: number; rssMb: number };
  await bitcoind.stop();
  const hemidTxPerS = transactions / index.seconds;
  console.log(`hemid:    ${round(hemidTxPerS, 0)} transactions/s, ${round(index.blocks / index.seconds, 1)} blocks/s, ${index.rssMb} MB`);

  console.log(
    `hemid:    ${round(transactions / index.cpuSeconds, 0)} transactions per second of processor time (load average ${loadavg()[0]?.toFixed(1)})`,
  );

  const seconds = await reindex(datadir, height);
  const bitcoindTxPerS = transactions / seconds;
  console.log(`bitcoind: ${round(bitcoindTxPerS, 0)} transactions/s (-reindex -txindex -coinstatsindex -par=1)`);

  const { calls } = runNode('precompile', store, spec) as { calls: Record<string, { coldUs: number; warmUs: number }> };
  for (const [address, { coldUs, warmUs }] of Object.entries(calls)) {
    console.log(`precompile ${address}: cold ${coldUs} us (${Math.round(1e6 / coldUs)}/s), warm ${warmUs} us (${Math.round(1e6 / warmUs)}/s)`);
  }
  const mean = (pick: (one: { coldUs: number; warmUs: number }) => number): number =>
    round(Object.values(calls).reduce((sum, one) => sum + pick(one), 0) / Object.keys(calls).length, 1);
  console.log(
    JSON.stringify({
      index: { hemidTxPerS: round(hemidTxPerS, 0), bitcoindTxPerS: round(bitcoindTxPerS, 0), ratio: round(hemidTxPerS / bitcoindTxPerS, 2) },
      precompile: { warmUs: mean(({ warmUs }) => warmUs), coldUs: mean(({ coldUs }) => coldUs) },
      rssMb: index.rssMb,
    }),
  );
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.exit(0);
