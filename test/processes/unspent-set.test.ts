import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, type ProgramProcess, waitFor, waitForOutput } from '@hemid/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProgramScene, type ProgramScene } from '../program-scene.ts';

let scene: ProgramScene;
let dump: string;

beforeAll(async () => {
  scene = await createProgramScene('unspent');
  dump = await scene.dumpUnspent();
  await scene.mine(1);
});
afterAll(async () => scene?.close());

async function start(data: string, ...more: string[]): Promise<ProgramProcess> {
  // A second Bitcoin node that nobody has started: the first one works, so it does not matter.
  const nodes = `${scene.bitcoinUrl},http://user:password@127.0.0.1:${await freePort()}`;
  return (await scene.launch(data, { options: ['--bitcoind', nodes, ...more] })).program;
}

async function ended(program: ProgramProcess): Promise<number | string> {
  return waitFor(() => program.end(), { timeoutMs: 20_000, what: () => `the end of the program: ${program.output()}` });
}

test('a node whose chain spec names an unspent set does not run without it, and needs the file once', async () => {
  const without = await start('data');
  expect(await ended(without)).toBe(2);
  expect(without.output()).toMatch(/--unspent-set.*bitcoin\/unspent-missing/s);

  const wrong = join(scene.directory, 'wrong.dat');
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
