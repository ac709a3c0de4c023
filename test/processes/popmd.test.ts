import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EsploraServer, freePort, type ProgramProcess, serveEsplora, waitFor, waitForOutput } from '@hemid/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serveTbc, type TbcServer } from '../../packages/pop-miner/test/source/tbc-server.ts';
import { createProgramScene, type ProgramScene } from '../program-scene.ts';

const PASSWORD = 'a password that nobody must see';
const PATIENCE_MS = 40_000;

let scene: ProgramScene;
let env: Record<string, string>;
let http: string;
let esplora: EsploraServer;
let tbc: TbcServer;

const popmd = (args: readonly string[], more: Record<string, string> = {}): ProgramProcess => scene.startPopmd(args, { ...env, ...more });

/** Runs a popmd to its end. */
async function finished(args: readonly string[], more: Record<string, string> = {}): Promise<{ code: unknown; said: string }> {
  const program = popmd(args, more);
  const code = await waitFor(() => program.end(), { timeoutMs: PATIENCE_MS, what: () => `the end of popmd ${args[0]}:\n${program.output()}` });
  return { code, said: program.output() };
}

beforeAll(async () => {
  scene = await createProgramScene('popmd');
  const { bitcoind, bitcoinUrl, directory } = scene;
  esplora = await serveEsplora(bitcoind.rpc);
  tbc = await serveTbc(bitcoind.rpc);
  const l2 = await scene.start('sequencer');
  http = `127.0.0.1:${await freePort()}`;
  writeFileSync(join(directory, 'password'), `${PASSWORD}\n`);
  env = {
    POPM_KEYSTORE: join(directory, 'keystore.json'),
    POPM_KEYSTORE_PASSWORD_FILE: join(directory, 'password'),
    POPM_BITCOIN_NETWORK: 'localnet',
    POPM_BITCOIN_URL: bitcoinUrl,
    POPM_OPGETH_URL: l2.url,
    POPM_HTTP_ADDRESS: http,
    POPM_STATIC_FEE: '2',
    POPM_POLL_MS: '200',
  };
});

afterAll(async () => {
  await esplora?.close();
  await tbc?.close();
  await scene?.close();
});

let address: string;
let miner: ProgramProcess;

test('init makes a key that only its owner can read, shows where to pay, and says when bitcoin came, by a TBC', async () => {
  const init = popmd(['init'], { POPM_BITCOIN_URL: tbc.url });
  const [, uri = '', paid = ''] = await waitForOutput(init, /(bitcoin:(bcrt1q[a-z0-9]+))\n/);
  address = paid;
  expect(init.output()).toContain('█▀');
  expect(uri).toBe(`bitcoin:${address}`);
  await waitForOutput(init, /Waiting for it/);
  const { mode } = statSync(env['POPM_KEYSTORE'] ?? '');
  expect(mode & 0o777).toBe(0o600);
  expect(init.end()).toBeUndefined();

  await scene.treasury.pay({ outputs: Array.from({ length: 3 }, () => ({ to: address, valueSats: 1_000_000n })) });
  await scene.mine(1);
  await waitForOutput(init, /3000000 sats are at/);
  expect(await waitFor(() => (init.end() === undefined ? undefined : String(init.end())), { timeoutMs: PATIENCE_MS, what: 'its end' })).toBe('0');
  expect(init.output()).not.toContain(PASSWORD);
});

test('run opens it and mines', async () => {
  miner = popmd(['run']);
  await waitForOutput(miner, /"address":"(bcrt1q[a-z0-9]+)".*pop miner starting/).then(([, shown]) => expect(shown).toBe(address));
  await waitForOutput(miner, /keystone published/);
});

test('the daemon tells people, Prometheus and load balancers how it is', async () => {
  const health = await waitFor(
    async () => {
      const response = await fetch(`http://${http}/health`);
      return response.status === 200 && ((await response.json()) as Record<string, unknown>);
    },
    { timeoutMs: PATIENCE_MS, what: 'a healthy popmd' },
  );
  const best = (await scene.bitcoind.rpc('getbestblockhash', [])) as string;
  expect(health).toMatchObject({ healthy: true, reasons: [], bitcoin_best_hash: best, gozer_connected: true, geth_connected: true });

  const metrics = await (await fetch(`http://${http}/metrics`)).text();
  expect(metrics).toMatch(new RegExp(`^popm_bitcoin_block_height\\{hash="${best}",timestamp="\\d+"\\} 111$`, 'm'));
  expect(metrics).toMatch(/^popm_ethereum_block_height\{hash="0x[0-9a-f]{64}",timestamp="\d+"\} \d+$/m);
  expect(metrics).toMatch(/^popm_publications_total [1-9]\d*$/m);

  const { code, said } = await finished(['status']);
  expect(code).toBe(0);
  expect(said).toMatch(/^popmd +healthy, on regtest by bitcoind$/m);
  expect(said).toContain(address);
});

test('sweep sends everything, by an Esplora server', async () => {
  expect(await miner.stop()).toBe(0);
  expect(miner.output()).not.toContain(PASSWORD);
  const { bitcoind, treasury } = scene;
  const target = treasury.addresses.p2pkh;
  const byEsplora = { POPM_BITCOIN_URL: esplora.url, POPM_BITCOIN_SOURCE: 'esplora' };
  await scene.mine(1);
  const { code, said } = await finished(['sweep', '--to', target, '--fee-rate', '3', '--yes'], byEsplora);
  expect(code).toBe(0);
  const txid = said.trim().split('\n').at(-1);
  expect(await bitcoind.rpc('getrawmempool', [])).toEqual([txid]);
  const { fees, vsize } = (await bitcoind.rpc('getmempoolentry', [txid])) as { fees: { base: number }; vsize: number };
  expect(Math.round(fees.base * 1e8)).toBe(3 * vsize);
  await scene.mine(1);
  const left = (await bitcoind.rpc('scantxoutset', ['start', [`addr(${address})`]])) as { total_amount: number };
  expect(left.total_amount).toBe(0);
});
