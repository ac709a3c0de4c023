import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type EmbeddedRegtest, openRegtest } from '../packages/bitcoin/src/index.ts';
import { silentLogger, systemClock } from '../packages/runtime/src/index.ts';
import { openMemoryStore } from '../packages/store/src/index.ts';
import { STRANGER } from '../packages/testkit/src/bitcoin-actor.ts';
import { devSpecJson } from '../packages/testkit/src/dev-spec.ts';
import { GAS_LIMIT } from './engine-load.ts';
import { end, type Peer, waitFor } from './peer.ts';

/** Of the repository. */
const root = fileURLToPath(new URL('..', import.meta.url));

/** What a hemid stands on. */
export interface Ground {
  /** In this process, served. */
  bitcoin: EmbeddedRegtest;
  bitcoind: string;
  /** The chain spec, as JSON. */
  spec: { genesis: Record<string, unknown> };
}

/** A Bitcoin of 110 blocks, a second apart, and above it a chain of one-second blocks with a genesis of so many seconds. */
export async function openGround(times: { bitcoinSeconds: number; genesisSeconds: number }, allocation: Record<string, object>): Promise<Ground> {
  const bitcoin = await openRegtest({ store: await openMemoryStore(), clock: systemClock, log: silentLogger });
  await bitcoin.mine({ count: 110, address: STRANGER, timeSeconds: (i) => times.bitcoinSeconds + i });
  const { url: bitcoind } = await bitcoin.serve({ host: '127.0.0.1', port: 0 });
  const spec = (await devSpecJson(bitcoin.rpc, times.genesisSeconds)) as Ground['spec'];
  Object.assign(spec.genesis, { gasLimit: GAS_LIMIT, blockTime: 1, allocation });
  return { bitcoin, bitcoind, spec };
}

/** How a hemid is started, besides. */
export interface HemidOptions {
  /** Flags of `hemid node`. */
  flags: readonly string[];
  env?: Record<string, string>;
  /** Flags of Node. */
  nodeOptions: readonly string[];
}

/** Starts `hemid node`, its data in `directory/data`, as `npm run hemid` does: bundled, with the flags of this process but for those of its loader. */
export async function startHemidOn({ bitcoin, bitcoind, spec }: Ground, directory: string, { flags, env, nodeOptions }: HemidOptions): Promise<Peer> {
  mkdirSync(directory, { recursive: true });
  const [chain, ready] = [join(directory, 'chain.json'), join(directory, 'ready.json')];
  writeFileSync(chain, JSON.stringify(spec));
  const ours = process.execArgv.slice(
    0,
    process.execArgv.findIndex((flag) => flag.startsWith('--conditions')),
  );
  const program = [...ours, ...nodeOptions, 'scripts/program.mjs', 'apps/node/src/main.ts', 'node', ...flags];
  const places = ['--chain', chain, '--data', join(directory, 'data'), '--bitcoind', bitcoind, '--rpc-port', '0', '--ready-file', ready];
  const child = spawn(process.execPath, [...program, ...places], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await waitFor('hemid', child, async () => existsSync(ready));
  const { rpc } = JSON.parse(readFileSync(ready, 'utf8')) as { rpc: string };
  return {
    url: rpc,
    pid: child.pid ?? 0,
    async stop() {
      await end(child);
      await bitcoin.close();
    },
  };
}
