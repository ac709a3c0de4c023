import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toDigits, toHex } from '@hemid/protocol';
import { type Bitcoind, type BitcoinWallet, createBitcoinWallet, type ProgramProcess, STRANGER, waitFor } from '@hemid/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createProgramScene, type ProgramScene } from '../program-scene.ts';
import {
  askPublicDaemon,
  connectGeth,
  connectTbc,
  createPublicMiner,
  type GethClient,
  type PublicMiner,
  type TbcClient,
} from '../public-programs.ts';

const PATIENCE_MS = 30_000;
const HVM_GENESIS = 110;

let scene: ProgramScene;
let bitcoind: Bitcoind;
let treasury: BitcoinWallet;
let wallet: BitcoinWallet;
let hemid: ProgramProcess;
let urls: { rpc: string; tbc: string; finality: string };
let tbc: TbcClient;
let geth: GethClient;
let miner: PublicMiner;

const tipHeight = async (): Promise<number> => (await bitcoind.rpc('getblockcount', [])) as number;

/** Waits until the node's own best block is bitcoind's. */
async function untilSeen(): Promise<void> {
  const hash = await bitcoind.rpc('getbestblockhash', []);
  const isSeen = async (): Promise<boolean> => (await tbc.call('sync-status', {})).keystone_index_height.hash === hash;
  await waitFor(isSeen, { timeoutMs: PATIENCE_MS, what: () => `the node to see Bitcoin's tip; so far:\n${hemid.output()}` });
}

async function mine(count: number): Promise<void> {
  await bitcoind.rpc('generatetoaddress', [count, treasury.addresses.p2wpkh]);
  await untilSeen();
}

/** One round of the miner after a keystone that it has not seen. */
async function mineKeystone(): Promise<{ id: string; txid: string }> {
  const before = (await geth.call('kss_getLatestKeystones', [1])).keystones[0]?.ep_hash;
  await waitFor(async () => (await geth.call('kss_getLatestKeystones', [1])).keystones[0]?.ep_hash !== before, {
    timeoutMs: PATIENCE_MS,
    what: 'a keystone',
  });
  const { sent, failures } = await miner.round();
  const [first] = sent;
  if (first === undefined) throw new Error(`the miner sent nothing: ${failures.join('; ')}`);
  return { id: first[0], txid: first[1] };
}

const coins = async (which: 'free' | 'all'): Promise<{ tx_id: string; value: number; out_index: number }[]> =>
  (await tbc.call('utxos-by-address', { filter_mempool: which === 'free', address: wallet.addresses.p2pkh, start: 0, count: 100 })).utxos;

/** The answer of the node's REST route, and that of a public daemon that knows only kss and TBC. */
async function askBoth(id: string): Promise<{ ours: string; theirs: string }> {
  const ours = await (await fetch(`${urls.finality}/v2/keystonefinality/${id}`)).text();
  return { ours, theirs: await askPublicDaemon({ tbc, geth }, id) };
}

beforeAll(async () => {
  scene = await createProgramScene('endpoints');
  ({ bitcoind, treasury } = scene);
  wallet = createBitcoinWallet({ rpc: bitcoind.rpc, secret: 'public miner' });
  const ready = join(scene.directory, 'ready.json');
  const options = ['--rpc-port', '0', '--tbc-address', '127.0.0.1:0', '--finality-address', '127.0.0.1:0', '--ready-file', ready];
  hemid = (await scene.start('data', { options: [...options, '--bitcoin-poll-ms', '50'] })).program;
  await waitFor(() => existsSync(ready), { timeoutMs: PATIENCE_MS, what: 'the file with the URLs' });
  urls = JSON.parse(readFileSync(ready, 'utf8'));
  tbc = await connectTbc(urls.tbc);
  geth = await connectGeth(urls.rpc.replace('http', 'ws'));
  miner = createPublicMiner({ tbc, geth, wallet });
});
afterAll(async () => {
  tbc?.close();
  geth?.close();
  await scene?.close();
});

test('an unmodified public miner and finality daemon need nothing but a hemid', async () => {
  await geth.call('kss_subscribe', ['newKeystones']);
  // Above the first blocks, from where on the index stays behind what the L2 head sees.
  await mine(2);
  const { txid: funding } = await treasury.pay({ outputs: [{ to: wallet.addresses.p2pkh, valueSats: 100_000n }] });
  await mine(1);
  // At the node's own best block, which the index, following the L2 head, has not reached.
  const [coin] = await coins('free');
  expect(coin).toMatchObject({ tx_id: funding, value: 100_000 });
  const status = await tbc.call('sync-status', {});
  expect(status).toMatchObject({ synced: true, at_least_missing: 0, blockheader_index_height: { height: await tipHeight() } });
  expect(status.utxo_index_height.height).toBeLessThan(await tipHeight());

  // It publishes with the one coin it has, and does not spend it twice; its change is there after a block.
  const first = await mineKeystone();
  expect(geth.notes[0]).toMatch(/^New Keystone Available: [0-9a-f]{64}$/);
  expect(await coins('free')).toEqual([]);
  expect(await coins('all')).toEqual([coin]);
  expect((await miner.round()).sent.size).toBe(0);
  await mine(1);
  const published = await tipHeight();
  const change = await coins('free');
  expect(change).toMatchObject([{ tx_id: first.txid, out_index: 0 }]);
  expect(change[0]?.value).toBeGreaterThan(99_000);
  expect((await tbc.call('balance-by-address', { address: wallet.addresses.p2pkh })).balance).toBe(change[0]?.value);

  // A publication in the tip is not one yet.
  const unpublished = await askBoth(first.id);
  expect(unpublished.ours).toBe(unpublished.theirs);
  expect(JSON.parse(unpublished.ours)).toMatchObject({ block_hash: '', block_height: 0, effective_confirmations: 0 });
  expect(unpublished.ours).not.toContain('super_finality');
  const { l2_keystone: keystone } = JSON.parse(unpublished.ours);
  await expect(geth.call('optimism_btcFinalityByBlockHash', [`0x${keystone.ep_hash}`])).rejects.toThrow(/published in Bitcoin yet \(-32000\)/);

  // Blocks with nothing of the miner's: it goes on with its change, which is older than the tip.
  await mine(2);
  const second = await mineKeystone();
  await mine(3);
  for (const { id } of [first, second]) {
    const { ours, theirs } = await askBoth(id);
    expect(ours).toBe(theirs);
  }
  const blockHash = (await bitcoind.rpc('getblockhash', [published])) as string;
  const { ours } = await askBoth(first.id);
  expect(JSON.parse(ours)).toEqual({
    l2_keystone: keystone,
    block_hash: Buffer.from(blockHash, 'hex').reverse().toString('hex'),
    block_height: published,
    effective_confirmations: 5,
    super_finality: false,
  });
  expect(await geth.call('optimism_btcFinalityByBlockHash', [`0x${keystone.ep_hash}`])).toEqual(JSON.parse(ours));

  // What else is asked of a TBC.
  expect(await tbc.call('l2-keystone-txs-by-abrev-hash', { l2_keystone_abrev_hash: first.id, depth: 3 })).toEqual({
    keystone_txs: [{ block_hash: blockHash, block_height: published, tx_index: 1, raw_tx: await bitcoind.rpc('getrawtransaction', [first.txid]) }],
  });
  const above = await tbc.call('keystones-by-height', { height: published - 1, depth: 1 });
  expect(above.btc_tip_height).toBe(await tipHeight());
  expect(above.l2_keystone_abrevs).toMatchObject([{ Version: 1, L2BlockNumber: keystone.l2_block_number }]);
  expect(toDigits(Uint8Array.from(above.l2_keystone_abrevs[0].StateRoot))).toBe(keystone.state_root);
  expect((await tbc.call('keystones-by-height', { height: published, depth: -1 })).l2_keystone_abrevs).toEqual([]);
  expect((await tbc.call('block-headers-by-height-raw', { height: published })).block_headers).toEqual([
    await bitcoind.rpc('getblockheader', [blockHash, false]),
  ]);
  for (const txid of [first.txid, second.txid, funding]) {
    expect((await tbc.call('tx-by-id-raw', { tx_id: txid })).tx).toBe(await bitcoind.rpc('getrawtransaction', [txid]));
  }
  const { tx } = await tbc.call('tx-by-id', { tx_id: first.txid });
  expect(tx).toMatchObject({ version: 2, tx_in: [{ outpoint: { hash: funding, index: coin?.out_index }, tx_witness: [], sequence: 0xffffffff }] });
  await expect(tbc.call('tx-broadcast-raw', { tx: '00', force: false })).rejects.toThrow(/TX decode failed/);
  const known = (await bitcoind.rpc('getrawtransaction', [second.txid])) as string;
  await expect(tbc.call('tx-broadcast-raw', { tx: known, force: true })).rejects.toThrow(/already in/);
}, 120_000);

test('finality is told when it rises, and when a Bitcoin reorg takes it back', async () => {
  const watcher = await connectGeth(urls.rpc.replace('http', 'ws'));
  await watcher.call('hemi_subscribe', ['finality']);
  await mine(10);
  const isFinal = (note: { finalized: { number: string } }): boolean => BigInt(note.finalized.number) > 0n;
  await waitFor(() => watcher.notes.some(isFinal), { timeoutMs: PATIENCE_MS, what: 'a finalized block' });
  const note = watcher.notes.find(isFinal);
  expect(note.thresholds).toEqual({ safe: 1, finalized: 10 });
  expect(note.finalized.publication).toMatchObject({ miner: toHex(miner.reward) });
  expect(note.finalized.publication.confirmations).toBeGreaterThanOrEqual(10);
  expect(BigInt(note.finalized.publication.keystone.number)).toBe(BigInt(note.finalized.number) + 1n);
  const isTold = async (): Promise<boolean> => (await watcher.call('hemi_getHeads', [])).finalized.hash === watcher.notes.at(-1).finalized.hash;
  await waitFor(isTold, { timeoutMs: PATIENCE_MS, what: 'the last notification to be what the node says' });

  // Another branch from the hVM genesis on, with nothing of the miner's on it.
  const before = await tipHeight();
  await bitcoind.rpc('invalidateblock', [await bitcoind.rpc('getblockhash', [HVM_GENESIS + 1])]);
  for (let left = before - HVM_GENESIS + 1; left > 0; left -= 1) await bitcoind.rpc('generateblock', [STRANGER, []]);
  await untilSeen();
  await waitFor(() => watcher.notes.at(-1).finalized.number === '0x0', { timeoutMs: PATIENCE_MS, what: 'finality to fall' });
  expect(watcher.notes.at(-1)).toMatchObject({ safe: { number: '0x0', publication: null }, finalized: { number: '0x0', publication: null } });
  // While the index changes branches it does not answer: a miner asks again.
  const areGone = async (): Promise<boolean> => (await coins('all').catch(() => undefined))?.length === 0;
  await waitFor(areGone, { timeoutMs: PATIENCE_MS, what: "the miner's coins to be gone" });
  watcher.close();
}, 120_000);
