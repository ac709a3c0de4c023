import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { devKey } from '../apps/node/src/index.ts';
import { openRegtest } from '../packages/bitcoin/src/index.ts';
import { toHex } from '../packages/protocol/src/index.ts';
import { silentLogger, systemClock } from '../packages/runtime/src/index.ts';
import { openMemoryStore } from '../packages/store/src/index.ts';
import { STRANGER } from '../packages/testkit/src/bitcoin-actor.ts';
import { devSpecJson } from '../packages/testkit/src/dev-spec.ts';
import { allocation, GAS_LIMIT, template } from './engine-load.ts';

/* The two that are measured, each a process with an empty chain of its own. */

/** A node under load. */
export interface Peer {
  url: string;
  pid: number;
  stop(): Promise<void>;
}

/** Starts a peer whose state holds `accounts` accounts, in an empty directory. */
export type StartPeer = (directory: string, accounts: number) => Promise<Peer>;

const cache = process.env['HEMID_BENCH_CACHE'] ?? join(homedir(), '.cache', 'hemid-bench');
/** Of the repository. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** Ends a process, by force after twenty seconds. */
export async function end(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await ended;
  clearTimeout(timer);
}

/** Waits for a process to be ready. @throws when it ends first, or takes two minutes. */
export async function waitFor(what: string, child: ChildProcess, isThere: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1200; tries += 1) {
    if (child.exitCode !== null) throw new Error(`${what} ended with ${child.exitCode}`);
    if (await isThere().catch(() => false)) return;
    await sleep(100);
  }
  throw new Error(`${what} did not start`);
}

/** Specs by number of accounts: 100,000 take a while to write. */
const allocations = new Map<number, Record<string, object>>();
function allocationOf(accounts: number): Record<string, object> {
  const made = allocations.get(accounts) ?? allocation(accounts);
  allocations.set(accounts, made);
  return made;
}

/** hemid: `hemid node --role sequencer` on disk, beside an embedded Bitcoin in this process. */
export function startHemid(nodeOptions: readonly string[] = []): StartPeer {
  return async (directory, accounts) => {
    mkdirSync(directory, { recursive: true });
    const bitcoin = await openRegtest({ store: await openMemoryStore(), clock: systemClock, log: silentLogger });
    const now = Math.floor(systemClock.now() / 1000);
    await bitcoin.mine({ count: 110, address: STRANGER, timeSeconds: (i) => now - 3600 + i });
    const { url: bitcoind } = await bitcoin.serve({ host: '127.0.0.1', port: 0 });
    const spec = (await devSpecJson(bitcoin.rpc, now)) as { genesis: Record<string, unknown> };
    Object.assign(spec.genesis, { gasLimit: GAS_LIMIT, blockTime: 1, allocation: allocationOf(accounts) });
    const [chain, ready] = [join(directory, 'chain.json'), join(directory, 'ready.json')];
    writeFileSync(chain, JSON.stringify(spec));
    // As `npm run hemid` starts it: with the flags of this process, but for those of its loader.
    const ours = process.execArgv.slice(
      0,
      process.execArgv.findIndex((flag) => flag.startsWith('--conditions')),
    );
    const flags = [...ours, ...nodeOptions, 'scripts/program.mjs', 'apps/node/src/main.ts', 'node'];
    const options = ['--role', 'sequencer', '--chain', chain, '--data', join(directory, 'data'), '--bitcoind', bitcoind];
    const child = spawn(process.execPath, [...flags, ...options, '--rpc-port', '0', '--ready-file', ready, '--log-level', 'warn'], {
      cwd: root,
      env: { ...process.env, HEMID_SEQUENCER_KEY: toHex(devKey('sequencer').secret) },
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
  };
}

/** The path of anvil: fetched from npm once, its binary run as it is. @throws when it cannot be had. */
export function findAnvil(): string {
  const directory = join(cache, 'anvil');
  const binary = join(directory, 'node_modules', '@foundry-rs', 'anvil-linux-amd64', 'bin', 'anvil');
  if (!existsSync(binary)) {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'package.json'), '{"private":true}');
    execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '@foundry-rs/anvil@1.7.1'], { cwd: directory, stdio: 'ignore' });
  }
  execFileSync(binary, ['--version'], { stdio: 'ignore' });
  return binary;
}

/** anvil with the same genesis; it keeps its state in memory, and mines as `mining` says. */
export function startAnvil(binary: string, mining: readonly string[] = ['--block-time', '1']): StartPeer {
  return async (directory, accounts) => {
    mkdirSync(directory, { recursive: true });
    const genesis = join(directory, 'genesis.json');
    const { chainId } = template.genesis;
    const alloc = Object.fromEntries(
      Object.entries(allocationOf(accounts)).map(([address, one]) => {
        const { balance = '0', nonce = 0 } = one as { balance?: string; nonce?: number };
        return [address, { ...one, balance: `0x${BigInt(balance).toString(16)}`, nonce: `0x${nonce.toString(16)}` }];
      }),
    );
    const head = { config: { chainId }, nonce: '0x0', timestamp: '0x0', extraData: '0x', difficulty: '0x0', gasLimit: `0x${GAS_LIMIT.toString(16)}` };
    writeFileSync(genesis, JSON.stringify({ ...head, alloc }));
    const port = 20_000 + (process.pid % 20_000);
    const args = ['--port', `${port}`, '--chain-id', `${chainId}`, ...mining, '--gas-limit', `${GAS_LIMIT}`, '--accounts', '1'];
    const child = spawn(binary, [...args, '--hardfork', 'osaka', '--init', genesis, '--silent'], { stdio: ['ignore', 'ignore', 'inherit'] });
    const url = `http://127.0.0.1:${port}`;
    await waitFor('anvil', child, async () => {
      const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_blockNumber', params: [] });
      return (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).ok;
    });
    return { url, pid: child.pid ?? 0, stop: () => end(child) };
  };
}
