import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bitcoinIndex, createBlockStore, createWalker, openHeaderChain } from '@hemid/bitcoin';
import { anchorFollower } from '@hemid/finality';
import { devKey, readChainSpec } from '@hemid/node';
import { toDigits } from '@hemid/protocol';
import { openStore } from '@hemid/store';
import {
  type Bitcoind,
  buildTransaction,
  coinOf,
  createBitcoinWallet,
  createSeededRandom,
  dumpStore,
  freePort,
  type ProgramProcess,
  signTransaction,
  startBitcoind,
  startProgram,
  waitFor,
  waitForOutput,
  writeDevSpec,
} from '@hemid/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

const IS_LONG = process.env['HEMID_LONG'] !== undefined;
const SEED = Number(process.env['HEMID_SEED'] ?? 11);
/** While the unspent set is loaded, and then while blocks are fetched and indexed. */
const KILLS = IS_LONG ? 40 : 4;
const BLOCKS = IS_LONG ? 12_000 : 2_500;
const FANS = IS_LONG ? 40 : 12;
const FAN_OUTPUTS = 3_000;

let directory: string;
let bitcoind: Bitcoind;
let chain: string;
let dump: string;
let height: number;

/** Coins before the hVM genesis, and behind it blocks of which every 25th spends some of them. */
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hemid-sync-kill-'));
  bitcoind = await startBitcoind();
  const wallet = createBitcoinWallet({ rpc: bitcoind.rpc, secret: 'sync-kill' });
  const mineRaw = (...hexes: string[]): Promise<unknown> => bitcoind.rpc('generateblock', [wallet.addresses.p2pkh, hexes]);
  await wallet.mine(100 + FANS + 1);
  const fans = (await wallet.coins()).slice(0, FANS).map((coin) => {
    const to = (i: number): Uint8Array => (i % 2 === 0 ? wallet.scripts.p2wpkh : Uint8Array.of(0, 20, i & 0xff, i >> 8, ...new Uint8Array(18)));
    const outputs = Array.from({ length: FAN_OUTPUTS }, (_, i) => ({ to: to(i), valueSats: BigInt(2_000 + i) }));
    return signTransaction(buildTransaction({ inputs: [coin], outputs }), [coin], [wallet.secretKey]);
  });
  for (const fan of fans) await mineRaw(fan.toHex());
  chain = await writeDevSpec(bitcoind.rpc, directory);
  dump = join(directory, 'utxo.dat');
  const { txoutset_hash } = (await bitcoind.rpc('dumptxoutset', [dump, 'latest'])) as { txoutset_hash: string };
  const spec = JSON.parse(readFileSync(chain, 'utf8')) as { genesis: { bitcoin: Record<string, unknown> } };
  spec.genesis.bitcoin['unspent'] = { hashSerialized: txoutset_hash };
  writeFileSync(chain, JSON.stringify(spec));
  for (let done = 0; done < BLOCKS; done += 25) {
    const fan = fans[(done / 25) % FANS];
    if (fan === undefined) throw new Error('no fan');
    const coins = Array.from({ length: 4 }, (_, i) => coinOf(fan, 2 * (4 * Math.floor(done / 25 / FANS) + i)));
    const spend = buildTransaction({
      inputs: coins,
      outputs: Array.from({ length: 40 }, (_, i) => ({ to: wallet.scripts.p2tr, valueSats: BigInt(100 + i) })),
    });
    await mineRaw(signTransaction(spend, coins, [wallet.secretKey]).toHex());
    await wallet.mine(24);
  }
  height = (await bitcoind.rpc('getblockcount', [])) as number;
}, 300_000);
afterAll(async () => {
  await bitcoind.stop();
  rmSync(directory, { recursive: true, force: true });
});

interface Running {
  program: ProgramProcess;
  rpcPort: number;
}

async function start(data: string): Promise<Running> {
  const rpcPort = await freePort();
  const url = bitcoind.url.replace('//', `//${bitcoind.user}:${bitcoind.password}@`);
  const args = ['--role', 'sequencer', '--data', join(directory, data), '--chain', chain, '--bitcoind', url, '--unspent-set', dump];
  const program = startProgram('apps/node/src/main.ts', ['node', ...args, '--rpc-port', `${rpcPort}`, '--log-format', 'json'], {
    HEMID_SEQUENCER_KEY: toDigits(devKey('sequencer').secret),
  });
  return { program, rpcPort };
}

/** Lets a node come to Bitcoin's tip and stops it. */
async function finish({ program, rpcPort }: Running): Promise<void> {
  await waitForOutput(program, /hemid is running/, 60_000);
  const isThere = async (): Promise<boolean> => {
    const metrics = await (await fetch(`http://127.0.0.1:${rpcPort}/metrics`)).text();
    return new RegExp(`^hemid_bitcoin_height ${height}$`, 'm').test(metrics);
  };
  await waitFor(isThere, { timeoutMs: 240_000, what: () => `Bitcoin's tip; so far:\n${program.output().slice(-2000)}` });
  expect(await program.stop()).toBe(0);
}

/** Every Bitcoin row, once both followers stand on the best block: headers, bodies, index, publications, unspent set. */
async function bitcoinRows(data: string): Promise<string[]> {
  const store = await openStore(join(directory, data, 'node'));
  const headers = await openHeaderChain(store, readChainSpec(chain));
  const blocks = createBlockStore(store);
  for (const follower of [bitcoinIndex, anchorFollower]) await createWalker(follower, { store, headers, blocks }).moveTo(headers.best().hash);
  const rows = await dumpStore(store);
  await store.close();
  return rows.filter((row) => /^[HBoaAdtpPu] /.test(row));
}

test(
  `kill -9 while the unspent set is loaded and while blocks come in, ${KILLS} times each: the same rows in the end (seed ${SEED})`,
  async () => {
    const random = createSeededRandom(SEED);
    const hit = { loading: 0, syncing: 0 };
    for (let i = 0; i < KILLS; i += 1) {
      const { program } = await start('killed');
      const [last] = await waitForOutput(program, /loading the unspent set|hemid is running/, 60_000);
      if (last === 'hemid is running') break;
      await sleep(random.between(0, IS_LONG ? 120 : 250));
      await program.kill();
      if (!/the unspent set is complete/.test(program.output())) hit.loading += 1;
    }
    for (let i = 0; i < KILLS; i += 1) {
      const { program } = await start('killed');
      await waitForOutput(program, /hemid is running/, 60_000);
      await sleep(random.between(0, IS_LONG ? 200 : 400));
      await program.kill();
      if (!/bitcoin blocks are all here/.test(program.output())) hit.syncing += 1;
    }
    // A campaign that only kills what was done proves nothing.
    expect(hit.loading).toBeGreaterThan(0);
    expect(hit.syncing).toBeGreaterThan(KILLS / 2);
    await finish(await start('killed'));
    await finish(await start('whole'));
    const whole = await bitcoinRows('whole');
    expect(whole.length).toBeGreaterThan(FANS * FAN_OUTPUTS);
    expect(await bitcoinRows('killed')).toEqual(whole);
  },
  120_000 + KILLS * 20_000,
);
