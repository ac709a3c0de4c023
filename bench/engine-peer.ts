import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { devKey } from '../apps/node/src/index.ts';
import { toHex } from '../packages/protocol/src/index.ts';
import { systemClock } from '../packages/runtime/src/index.ts';
import { allocation, GAS_LIMIT, template } from './engine-load.ts';
import { openGround, startHemidOn } from './hemid-peer.ts';
import { end, type Peer, waitFor } from './peer.ts';

/* The two that are measured, each a process with an empty chain of its own. */

/** Starts a peer whose state holds `accounts` accounts, in an empty directory. */
export type StartPeer = (directory: string, accounts: number) => Promise<Peer>;

const cache = process.env['HEMID_BENCH_CACHE'] ?? join(homedir(), '.cache', 'hemid-bench');
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
    const now = Math.floor(systemClock.now() / 1000);
    const ground = await openGround({ bitcoinSeconds: now - 3600, genesisSeconds: now }, allocationOf(accounts));
    const flags = ['--role', 'sequencer', '--log-level', 'warn'];
    return startHemidOn(ground, directory, { flags, nodeOptions, env: { HEMID_SEQUENCER_KEY: toHex(devKey('sequencer').secret) } });
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
