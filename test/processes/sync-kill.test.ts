import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bitcoinIndex, createBlockStore, createWalker, openHeaderChain } from '@hemid/bitcoin';
import { anchorFollower } from '@hemid/finality';
import { readChainSpec } from '@hemid/node';
import { openStore } from '@hemid/store';
import { type BitcoinWallet, buildTransaction, coinOf, createSeededRandom, dumpStore, signTransaction, waitFor, waitForOutput } from '@hemid/testkit';
import type { Transaction } from 'bitcoinjs-lib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProgramScene, type NodeProcess, type ProgramScene } from '../program-scene.ts';

const IS_LONG = process.env['HEMID_LONG'] !== undefined;
const SEED = Number(process.env['HEMID_SEED'] ?? 11);
/** While the unspent set is loaded, and then while blocks are fetched and indexed. */
const KILLS = IS_LONG ? 40 : 4;
const BLOCKS = IS_LONG ? 12_000 : 2_500;
const FANS = IS_LONG ? 40 : 12;
const FAN_OUTPUTS = 3_000;

let scene: ProgramScene;
let dump: string;
let height: number;

/** Transactions with many outputs each, half of them the wallet's own. */
async function createFans(wallet: BitcoinWallet): Promise<Transaction[]> {
  const to = (i: number): Uint8Array => (i % 2 === 0 ? wallet.scripts.p2wpkh : Uint8Array.of(0, 20, i & 0xff, i >> 8, ...new Uint8Array(18)));
  return (await wallet.coins()).slice(0, FANS).map((coin) => {
    const outputs = Array.from({ length: FAN_OUTPUTS }, (_, i) => ({ to: to(i), valueSats: BigInt(2_000 + i) }));
    return signTransaction(buildTransaction({ inputs: [coin], outputs }), [coin], [wallet.secretKey]);
  });
}

/** Coins before the hVM genesis, and behind it blocks of which every 25th spends some of them. */
beforeAll(async () => {
  let fans: Transaction[] = [];
  scene = await createProgramScene('sync-kill', async ({ bitcoind, treasury }) => {
    await treasury.mine(100 + FANS + 1);
    fans = await createFans(treasury);
    for (const fan of fans) await bitcoind.rpc('generateblock', [treasury.addresses.p2pkh, [fan.toHex()]]);
  });
  const { bitcoind, treasury: wallet } = scene;
  dump = await scene.dumpUnspent();
  for (let done = 0; done < BLOCKS; done += 25) {
    const fan = fans[(done / 25) % FANS];
    if (fan === undefined) throw new Error('no fan');
    const coins = Array.from({ length: 4 }, (_, i) => coinOf(fan, 2 * (4 * Math.floor(done / 25 / FANS) + i)));
    const spend = buildTransaction({
      inputs: coins,
      outputs: Array.from({ length: 40 }, (_, i) => ({ to: wallet.scripts.p2tr, valueSats: BigInt(100 + i) })),
    });
    await bitcoind.rpc('generateblock', [wallet.addresses.p2pkh, [signTransaction(spend, coins, [wallet.secretKey]).toHex()]]);
    await wallet.mine(24);
  }
  height = (await bitcoind.rpc('getblockcount', [])) as number;
}, 300_000);
afterAll(async () => scene?.close());

const start = (data: string): Promise<NodeProcess> => scene.launch(data, { options: ['--unspent-set', dump] });

/** Lets a node come to Bitcoin's tip and stops it. */
async function finish({ program, url }: NodeProcess): Promise<void> {
  await waitForOutput(program, /hemid is running/, 60_000);
  const isThere = async (): Promise<boolean> => {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    return new RegExp(`^hemid_bitcoin_height ${height}$`, 'm').test(metrics);
  };
  await waitFor(isThere, { timeoutMs: 240_000, what: () => `Bitcoin's tip; so far:\n${program.output().slice(-2000)}` });
  expect(await program.stop()).toBe(0);
}

/** Every Bitcoin row, once both followers stand on the best block: headers, bodies, index, publications, unspent set. */
async function bitcoinRows(data: string): Promise<string[]> {
  const store = await openStore(join(scene.directory, data, 'node'));
  const headers = await openHeaderChain(store, readChainSpec(scene.chain));
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
