import { bitcoinReference, type PlacedL2Header } from '@hemid/chain';
import { createRpcDeps, createTbcDeps } from '@hemid/node';
import { createPopMiner, createPopWallet, createTbcBitcoin, type KeystoneSource, readPopSecret, toFeeRate } from '@hemid/pop-miner';
import { abbreviate, encodePopScript, hashKeystone, toKeystoneId } from '@hemid/protocol';
import { createRestServer, createTbcServer, type RestServer, type TbcServer } from '@hemid/rpc';
import { silentLogger } from '@hemid/runtime';
import { createBitcoinWallet, createTestNetwork, publishKeystone, spendOtherwise, type TestNetwork } from '@hemid/testkit';
import { Transaction } from 'bitcoinjs-lib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectTbc, type TbcClient } from '../public-programs.ts';

const SIGNAL = new AbortController().signal;
const FREE_PORT = { host: '127.0.0.1', port: 0 };

let network: TestNetwork;
let tbc: TbcServer;
let rest: RestServer;
let client: TbcClient;
beforeEach(async () => {
  network = await createTestNetwork();
  const { node } = network.sequencer;
  const common = { clock: network.clock, log: silentLogger };
  tbc = createTbcServer(createTbcDeps(node, { ...common, bitcoin: network.bitcoin.rpc }), FREE_PORT);
  rest = createRestServer(createRpcDeps(node, common), FREE_PORT);
  await tbc.start(SIGNAL);
  await rest.start(SIGNAL);
  client = await connectTbc(tbc.url());
  await network.sequencer.look();
});
afterEach(async () => {
  client.close();
  await tbc.stop();
  await rest.stop();
  await network.close();
});

const idOf = (keystone: Parameters<typeof hashKeystone>[0]): string => toKeystoneId(hashKeystone(keystone));

/** Builds the first keystone and gives it. */
async function buildKeystone() {
  const { chain } = network.sequencer.node;
  await network.bitcoin.mineBlocks(1);
  await network.sequencer.build(network.spec.genesis.keystonePeriod);
  return chain.keystone(chain.head('latest'));
}

test('frames that cannot be read or are not known are answered with an error, and the connection lives on', async () => {
  const error = { timestamp: Math.floor(network.clock.now() / 1000), message: expect.any(String) };
  const refused = async (text: string) => (await client.send(text)) as { header: object; payload: { error: { message: string } } };
  expect(await refused('{')).toEqual({ header: { command: 'tbcapi-error-response' }, payload: { error } });
  expect((await refused('[]')).payload.error.message).toMatch(/no header/);
  expect(await refused('{"header":{"command":"tbcapi-block-insert-request","id":"x7"},"payload":{}}')).toEqual({
    header: { command: 'tbcapi-block-insert-response', id: 'x7' },
    payload: { error: { ...error, message: 'unknown command: tbcapi-block-insert-request' } },
  });
  expect((await refused('{"header":{"command":"tbcapi-toString-request"}}')).payload.error.message).toMatch(/unknown command/);
  expect((await refused('{"header":{"command":"tbcapi-tx-by-id-request","id":"y"},"payload":{"tx_id":"ab"}}')).payload.error.message).toBe(
    'invalid payload: tx_id: must be a hash of 64 hex digits',
  );
  await expect(client.call('utxos-by-address', { address: 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', count: 1 })).rejects.toThrow(
    /not an address/,
  );
  await expect(client.call('l2-keystone-txs-by-abrev-hash', { l2_keystone_abrev_hash: 'ab'.repeat(32), depth: 4 })).rejects.toThrow(
    'invalid depth: 4 > 3',
  );
  await expect(client.call('l2-keystone-txs-by-abrev-hash', { l2_keystone_abrev_hash: 'ab'.repeat(32), depth: 3 })).rejects.toThrow(/not found/);
  await expect(client.call('block-headers-by-height-raw', { height: 4_000_000 })).rejects.toThrow('block headers not found at height 4000000');
  await expect(client.call('keystones-by-height', { height: 1, depth: 0 })).rejects.toThrow(/must not be 0/);
  expect(await client.call('ping', { timestamp: 5 })).toEqual({ origintimestamp: 5, timestamp: error.timestamp });
});

test('a frame of more than 512 KiB ends its connection and no other', async () => {
  const large = await connectTbc(tbc.url());
  const closed = new Promise<void>((resolve) => large.onClose(resolve));
  void large.send(`{"header":{"command":"tbcapi-ping-request","id":"1"},"payload":{"x":"${'y'.repeat(600_000)}"}}`);
  await closed;
  expect(await client.call('block-header-best-raw', {})).toMatchObject({ height: await network.bitcoin.height() });
});

test('a miner is offered coins that it can spend now: not those of young coinbases, nor those its mempool spends', async () => {
  const { bitcoin } = network;
  const miner = createBitcoinWallet({ rpc: bitcoin.rpc, secret: 'a miner' });
  const ask = async (which: 'free' | 'all', page: object = { start: 0, count: 100 }): Promise<{ tx_id: string }[]> =>
    (await client.call('utxos-by-address', { filter_mempool: which === 'free', address: miner.addresses.p2pkh, ...page })).utxos;
  await bitcoin.mine({ count: 1, address: miner.addresses.p2pkh });
  const { txid } = await bitcoin.wallet.pay({ outputs: [{ to: miner.addresses.p2pkh, valueSats: 50_000n }] });
  await bitcoin.mineBlocks(1);
  await network.sequencer.look();
  expect(await ask('free')).toEqual([{ tx_id: txid, value: 50_000, out_index: expect.any(Number) }]);
  expect(await ask('all')).toHaveLength(2);
  expect(await ask('all', { start: 1, count: 18_446_744_073_709_552_000 })).toHaveLength(1);
  expect(await ask('all', { start: 9, count: 5 })).toEqual([]);
  await miner.pay({ outputs: [{ to: bitcoin.wallet.addresses.p2wpkh, valueSats: 10_000n }], from: 'p2pkh' });
  expect(await ask('free')).toEqual([]);
  await bitcoin.mineBlocks(1);
  await network.sequencer.look();
  expect(await ask('free')).toMatchObject([{ value: expect.any(Number) }]);
  expect((await ask('free'))[0]?.tx_id).not.toBe(txid);
  // On a network that estimates nothing there is a fee all the same.
  const { fee_estimate: fees } = await client.call('fee-estimate', {});
  expect(fees).toContainEqual({ blocks: 6, sats_per_vbyte: 1 });
});

test('a publication that a Bitcoin reorg drops is not there any more, for miners and for finality', async () => {
  const { bitcoin, sequencer } = network;
  const keystone = await buildKeystone();
  const ask = async () =>
    (await client.call('block-by-l2-abrev-hash', { l2_keystone_abrev_hashes: [idOf(keystone), 'cd'.repeat(32)] })).l2_keystone_blocks;
  const finality = async () => (await fetch(`${rest.url()}/v2/keystonefinality/${idOf(keystone)}`)).json();
  const missing = {
    l2_keystone_abrev: null,
    l2_keystone_block_hash: null,
    l2_keystone_block_height: 0,
    error: { message: expect.stringMatching(/not found/) },
  };
  expect(await ask()).toMatchObject([missing, missing]);
  const { txid, tx } = await bitcoin.wallet.pay({ outputs: [{ to: encodePopScript(abbreviate(keystone)), valueSats: 0n }] });
  await bitcoin.mineBlocks(3);
  await sequencer.look();
  const height = (await bitcoin.height()) - 2;
  const first = (await bitcoin.rpc('getblockhash', [height])) as string;
  expect(await ask()).toMatchObject([
    {
      l2_keystone_block_hash: first,
      l2_keystone_block_height: height,
      l2_keystone_abrev: { L2BlockNumber: 5, EPHash: [...keystone.blockHash.slice(0, 12)] },
    },
    missing,
  ]);
  expect(await finality()).toMatchObject({ block_height: height, effective_confirmations: 2, super_finality: false });
  await bitcoin.rpc('invalidateblock', [first]);
  expect(await bitcoin.rpc('getrawmempool', [])).toEqual([txid]);
  await spendOtherwise(bitcoin.rpc, bitcoin.wallet, tx);
  await bitcoin.mineBlocks(4);
  await sequencer.look();
  expect(await ask()).toMatchObject([missing, missing]);
  expect(await finality()).toEqual({ l2_keystone: expect.anything(), block_hash: '', block_height: 0, effective_confirmations: 0 });
  await publishKeystone(bitcoin.wallet, keystone);
  await bitcoin.mineBlocks(2);
  await sequencer.look();
  expect(await finality()).toMatchObject({ effective_confirmations: 1 });
});

test('of a keystone that this chain does not have only its first publication is known', async () => {
  const { bitcoin, sequencer } = network;
  const foreign = { ...(await buildKeystone()), l2BlockNumber: 77_000, stateRoot: new Uint8Array(32).fill(7) };
  const txids = [await publishKeystone(bitcoin.wallet, foreign)];
  await bitcoin.mineBlocks(1);
  txids.push(await publishKeystone(bitcoin.wallet, foreign));
  await bitcoin.mineBlocks(1);
  await sequencer.look();
  const height = (await bitcoin.height()) - 1;
  const { l2_keystone_blocks: blocks } = await client.call('block-by-l2-abrev-hash', { l2_keystone_abrev_hashes: [idOf(foreign)] });
  expect(blocks).toMatchObject([{ l2_keystone_block_height: height, l2_keystone_abrev: { L2BlockNumber: 77_000, StateRoot: Array(32).fill(7) } }]);
  const { l2_keystone_abrevs: keystones } = await client.call('keystones-by-height', { height: height - 1, depth: 100 });
  expect(keystones).toEqual([blocks[0].l2_keystone_abrev]);
  const ask = async (depth: number): Promise<string[]> => {
    const { keystone_txs: rows } = await client.call('l2-keystone-txs-by-abrev-hash', { l2_keystone_abrev_hash: idOf(foreign), depth });
    return rows.map(({ raw_tx: raw }: { raw_tx: string }) => Transaction.fromHex(raw).getId());
  };
  expect([await ask(0), await ask(1), await ask(3)]).toEqual([[], txids.slice(0, 1), txids]);
  expect((await fetch(`${rest.url()}/v2/keystonefinality/${idOf(foreign)}`)).status).toBe(404);
});

test('the REST route answers in the form of the public daemon, errors too', async () => {
  const keystone = await buildKeystone();
  const get = async (path: string) => {
    const response = await fetch(`${rest.url()}${path}`);
    const headers = { type: response.headers.get('content-type'), sniff: response.headers.get('x-content-type-options') };
    expect(headers).toEqual({ type: 'application/json; charset=utf-8', sniff: 'nosniff' });
    return { status: response.status, text: await response.text() };
  };
  const fields = `{"version":1,"l1_block_number":111,"l2_block_number":5,"parent_ep_hash":"[0-9a-f]{64}","prev_ep_keystone_hash":"0{64}","state_root":"[0-9a-f]{64}","ep_hash":"[0-9a-f]{64}"}`;
  const known = await get(`/v2/keystonefinality/${idOf(keystone)}`);
  expect(known.status).toBe(200);
  expect(known.text).toMatch(new RegExp(`^{"l2_keystone":${fields},"block_hash":"","block_height":0,"effective_confirmations":0}\n$`));
  expect((await get(`/v2/keystonefinality/${idOf(keystone).toUpperCase()}`)).status).toBe(200);
  const refused: [string, number, string][] = [
    [`/v2/keystonefinality/${'ab'.repeat(32)}`, 404, 'unknown keystone: .*'],
    ['/v2/keystonefinality/abcd', 400, 'invalid keystone length'],
    [`/v2/keystonefinality/${'zz'.repeat(32)}`, 400, 'invalid keystone length'],
    ['/v2/keystonefinality/', 400, 'invalid keystone length'],
    ['/v2/keystonefinality/%', 400, '.*'],
    ['/v2/other', 404, '.*'],
  ];
  for (const [path, status, message] of refused) {
    const answer = await get(path);
    expect(answer.status, path).toBe(status);
    expect(answer.text, path).toMatch(new RegExp(`^{"timestamp":\\d+,"trace":"[0-9a-f]{16}","error":"${message}"}\n$`));
  }
});

test('a port that another program has is refused in one sentence, or left for a free one', async () => {
  const { node } = network.sequencer;
  const deps = createTbcDeps(node, { clock: network.clock, log: silentLogger, bitcoin: network.bitcoin.rpc });
  const taken = { host: '127.0.0.1', port: Number(new URL(tbc.url()).port) };
  await expect(Promise.resolve(createTbcServer(deps, taken).start(SIGNAL))).rejects.toMatchObject({
    code: 'rpc/listen',
    message: new RegExp(`the tbc server cannot listen on 127\\.0\\.0\\.1:${taken.port}`),
  });
  const other = createTbcServer(deps, { ...taken, orFree: true });
  await other.start(SIGNAL);
  expect(other.url()).not.toBe(tbc.url());
  (await connectTbc(other.url())).close();
  await other.stop();
});

test('our own miner needs this node alone too: it publishes through TBC, sees its publication mined, and does not pay twice', async () => {
  const { bitcoin, sequencer, clock } = network;
  const { chain } = sequencer.node;
  const wallet = createPopWallet(readPopSecret('0b0b'), { network: 'regtest', kind: 'p2wpkh' });
  await bitcoin.wallet.pay({ outputs: [{ to: wallet.address, valueSats: 200_000n }] });
  const keystone = await buildKeystone();
  await sequencer.look();
  const keystones: KeystoneSource = {
    latest: async () => [keystone],
    async origin(hash) {
      const { header } = chain.header(hash) as PlacedL2Header;
      return { bitcoinTip: bitcoinReference(header), timeMs: Number(header.timestamp) * 1000 };
    },
  };
  const source = createTbcBitcoin(tbc.url(), { wallet, timeoutMs: 10_000 });
  const onFailure = (error: unknown): never => {
    throw error;
  };
  const miner = createPopMiner(
    { bitcoin: source, keystones, wallet, clock, log: silentLogger, onFailure },
    { network: 'regtest', fees: { maxRate: toFeeRate(100) }, pollMs: 1000 },
  );
  await miner.tick();
  expect(miner.status()).toMatchObject({ publishedCount: 1, pending: 1, queue: [{ standing: 'pending' }] });
  await miner.tick();
  expect(miner.status().publishedCount).toBe(1);
  await bitcoin.mineBlocks(1);
  await sequencer.look();
  await miner.tick();
  expect(miner.status()).toMatchObject({ publishedCount: 1, pending: 0, queue: [{ standing: 'published' }], lastPublication: { confirmations: 1 } });
  const { l2_keystone_blocks: blocks } = await client.call('block-by-l2-abrev-hash', { l2_keystone_abrev_hashes: [idOf(keystone)] });
  expect(blocks).toMatchObject([{ l2_keystone_block_height: await bitcoin.height() }]);
  source.close();
});
