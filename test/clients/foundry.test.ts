import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Hex } from '@hemid/protocol';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { addMessage, solcPaths, sourceOf } from './counter.ts';
import { ALICE, BOB, type DevNetwork, type Sighting, startDevNetwork } from './dev-network.ts';
import { installed } from './installed.ts';

// Programs that start and compile, on a machine that has more to do.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

const run = promisify(execFile);
const COUNTED = 'Counted(address,uint256)';

let directory: string;
let network: DevNetwork;
let counter: Hex;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hemid-foundry-'));
  mkdirSync(join(directory, 'src'));
  for (const file of ['Counter.sol', 'Count.s.sol'] as const) writeFileSync(join(directory, 'src', file), sourceOf(file));
  writeFileSync(join(directory, 'foundry.toml'), '[profile.default]\nsrc = "src"\nscript = "src"\nevm_version = "osaka"\n');
  writeFileSync(join(directory, 'solc'), solcShim());
  chmodSync(join(directory, 'solc'), 0o755);
  installed('foundry-1.7.1');
  installed('cast-1.5.1');
  network = await startDevNetwork();
});
afterAll(async () => {
  await network?.close();
  rmSync(directory, { recursive: true, force: true });
});

/** A solc for forge, which cannot download one: npm's, with the part of its command line that forge uses. */
function solcShim(): string {
  return `#!${process.execPath}
const solc = require(${JSON.stringify(solcPaths.package)});
const isVersion = process.argv.includes('--version');
process.stdout.write(isVersion ? 'solc\\nVersion: ' + solc.version() + '\\n' : solc.compile(require('node:fs').readFileSync(0, 'utf8')));
`;
}

/** Runs a program of Foundry; @returns what it wrote. */
async function foundry(path: string, args: readonly string[]): Promise<string> {
  const env = { ...process.env, ETH_RPC_URL: network.url, FOUNDRY_DISABLE_NIGHTLY_WARNING: '1', HOME: directory };
  const { stdout } = await run(path, args, { cwd: directory, env, timeout: 60_000, maxBuffer: 2 ** 26 });
  return stdout.trim();
}
const programOf = (client: 'foundry-1.7.1' | 'cast-1.5.1', name: 'cast' | 'forge'): string =>
  join(installed(client), '@foundry-rs', `${name}-linux-amd64`, 'bin', name);
const cast = (...args: string[]): Promise<string> => foundry(programOf('foundry-1.7.1', 'cast'), args);
const forge = (verb: string, ...args: string[]): Promise<string> =>
  foundry(programOf('foundry-1.7.1', 'forge'), [verb, '--offline', '--use', './solc', ...args]);
const asAlice = ['--private-key', ALICE.key];

test('forge create deploys a contract', async () => {
  const args = ['--broadcast', '--json', '--rpc-url', network.url, ...asAlice, 'src/Counter.sol:Counter'];
  const { deployedTo, transactionHash } = JSON.parse(await forge('create', ...args, '--constructor-args', '4'));
  counter = deployedTo;
  expect(await cast('code', counter)).toMatch(/^0x6/);
  expect(JSON.parse(await cast('receipt', '--json', transactionHash))).toMatchObject({ status: '0x1', contractAddress: counter.toLowerCase() });
});

test('forge script plays its transactions one after the other', async () => {
  const output = await forge('script', 'src/Count.s.sol:Count', '--broadcast', '--slow', '--rpc-url', network.url, ...asAlice);
  expect(output).toContain('0: uint256 3');
  expect(output).toContain('ONCHAIN EXECUTION COMPLETE & SUCCESSFUL');
});

test('cast writes, reads, finds the event, and traces', async () => {
  const { transactionHash, status, blockNumber } = JSON.parse(await cast('send', '--json', ...asAlice, counter, 'add(uint256)', '3'));
  expect(status).toBe('0x1');
  expect(await cast('call', counter, 'count()(uint256)')).toBe('7');
  const [log] = JSON.parse(await cast('logs', '--json', '--from-block', blockNumber, '--address', counter, COUNTED));
  expect(log).toMatchObject({ transactionHash, blockNumber, removed: false });
  await expect(cast('call', counter, 'add(uint256)', '11')).rejects.toThrow(/execution reverted/);
  expect(JSON.parse(await cast('rpc', 'debug_traceTransaction', transactionHash, '{"tracer":"callTracer"}'))).toMatchObject({
    type: 'CALL',
    to: counter.toLowerCase(),
  });
  const replayed = await foundry(programOf('cast-1.5.1', 'cast'), ['run', '--evm-version', 'osaka', transactionHash]);
  expect(replayed).toContain('Transaction successfully executed');
  expect(await cast('storage', counter, '0')).toBe(`0x${'7'.padStart(64, '0')}`);
  expect(JSON.parse(await cast('access-list', '--json', counter, 'count()')).accessList).toEqual([
    { address: counter.toLowerCase(), storageKeys: [`0x${'0'.repeat(64)}`] },
  ]);
  expect(JSON.parse(await cast('proof', counter, '0')).storageProof[0].value).toBe('0x7');
});

test('cast collects with a filter', async () => {
  const filter = JSON.parse(await cast('rpc', 'eth_newFilter', JSON.stringify({ address: counter })));
  await cast('send', ...asAlice, counter, 'add(uint256)', '1');
  expect(JSON.parse(await cast('rpc', 'eth_getFilterChanges', filter))).toMatchObject([{ address: counter.toLowerCase(), removed: false }]);
});

test('cast signs typed data (EIP-712) that the contract verifies', async () => {
  const chainId = Number(await cast('chain-id'));
  const signature = await cast('wallet', 'sign', ...asAlice, '--data', JSON.stringify(addMessage(chainId, counter, 5)));
  expect(await cast('call', counter, 'signerOf(uint256,bytes)(address)', '5', signature)).toBe(ALICE.address);
});

test('cast sends a delegation (EIP-7702)', async () => {
  const args = ['--auth', counter, '--private-key', BOB.key, BOB.address, 'add(uint256)', '2'];
  const { transactionHash, type } = JSON.parse(await cast('send', '--json', ...args));
  expect(type).toBe('0x4');
  expect(await cast('code', BOB.address)).toBe(`0xef0100${counter.slice(2).toLowerCase()}`);
  expect(await cast('call', BOB.address, 'count()(uint256)')).toBe('2');
  expect(JSON.parse(await cast('tx', '--json', transactionHash)).authorizationList).toHaveLength(1);
});

test('cast decodes system transactions, in blocks, by hash and in receipts', async () => {
  const sightings = await network.systemTransactions();
  for (const type of ['0x7c', '0x7d', '0x7e']) {
    const { block, hash } = sightings[type] as Sighting;
    const { transactions } = JSON.parse(await cast('block', '--full', '--json', `${block}`));
    expect(transactions.find((transaction: { hash: Hex }) => transaction.hash === hash)).toMatchObject({ type, gasPrice: '0x0' });
    expect(JSON.parse(await cast('tx', '--json', hash))).toMatchObject({ type, hash });
    expect(JSON.parse(await cast('receipt', '--json', hash))).toMatchObject({ transactionHash: hash, status: '0x1' });
  }
});
