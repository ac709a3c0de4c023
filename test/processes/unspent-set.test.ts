import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { devKey } from '@hemid/node';
import { toDigits } from '@hemid/protocol';
import { type Bitcoind, freePort, type ProgramProcess, startBitcoind, startProgram, waitFor, waitForOutput, writeDevSpec } from '@hemid/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ADDRESS = 'bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080';

let directory: string;
let bitcoind: Bitcoind;
let chain: string;
let dump: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hemid-unspent-'));
  bitcoind = await startBitcoind();
  await bitcoind.rpc('generatetoaddress', [110, ADDRESS]);
  chain = await writeDevSpec(bitcoind.rpc, directory);
  dump = join(directory, 'utxo.dat');
  const { txoutset_hash } = (await bitcoind.rpc('dumptxoutset', [dump, 'latest'])) as { txoutset_hash: string };
  const spec = JSON.parse(readFileSync(chain, 'utf8')) as { genesis: { bitcoin: Record<string, unknown> } };
  spec.genesis.bitcoin['unspent'] = { hashSerialized: txoutset_hash };
  writeFileSync(chain, JSON.stringify(spec));
  await bitcoind.rpc('generatetoaddress', [1, ADDRESS]);
});
afterAll(async () => {
  await bitcoind.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function start(data: string, ...more: string[]): Promise<ProgramProcess> {
  const url = bitcoind.url.replace('//', `//${bitcoind.user}:${bitcoind.password}@`);
  const args = [
    '--role',
    'sequencer',
    '--data',
    join(directory, data),
    '--chain',
    chain,
    '--rpc-port',
    `${await freePort()}`,
    '--log-format',
    'json',
  ];
  // A second Bitcoin node that nobody has started: the first one works, so it does not matter.
  const nodes = `${url},http://user:password@127.0.0.1:${await freePort()}`;
  return startProgram('apps/node/src/main.ts', ['node', ...args, '--bitcoind', nodes, ...more], {
    HEMID_SEQUENCER_KEY: toDigits(devKey('sequencer').secret),
  });
}

async function ended(program: ProgramProcess): Promise<number | string> {
  return waitFor(() => program.end(), { timeoutMs: 20_000, what: () => `the end of the program: ${program.output()}` });
}

test('a node whose chain spec names an unspent set does not run without it, and needs the file once', async () => {
  const without = await start('data');
  expect(await ended(without)).toBe(2);
  expect(without.output()).toMatch(/--unspent-set.*bitcoin\/unspent-missing/s);

  const wrong = join(directory, 'wrong.dat');
  const bytes = readFileSync(dump);
  bytes[bytes.length - 3] = (bytes[bytes.length - 3] ?? 0) ^ 1;
  writeFileSync(wrong, bytes);
  const refused = await start('data', '--unspent-set', wrong);
  expect(await ended(refused)).toBe(2);
  expect(refused.output()).toMatch(/bitcoin\/unspent-file/);

  const first = await start('data', '--unspent-set', dump);
  await waitForOutput(first, /the unspent set is complete[\s\S]*hemid is running/);
  await first.kill();
  const again = await start('data');
  await waitForOutput(again, /hemid is running/);
  expect(again.output()).not.toMatch(/unspent set/);
  expect(await again.stop()).toBe(0);
}, 90_000);
