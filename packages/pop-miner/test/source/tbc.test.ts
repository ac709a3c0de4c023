import {
  createMinerBitcoind,
  createPopMiner,
  createPopWallet,
  createTbcBitcoin,
  type MinerBitcoin,
  type PopMiner,
  type PopWallet,
} from '@hemid/pop-miner';
import { fromHex, hashKeystone, toDisplay, toKeystoneId } from '@hemid/protocol';
import { Secret, silentLogger } from '@hemid/runtime';
import {
  type Bitcoind,
  type BitcoinWallet,
  buildTransaction,
  createBitcoinWallet,
  createManualClock,
  signTransaction,
  startBitcoind,
} from '@hemid/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createKeystoneHolder, type KeystoneHolder } from '../keystone-holder.ts';
import { createMinerActor } from '../miner-actor.ts';
import { toShape } from './outlook-shape.ts';
import { serveTbc, type TbcServer } from './tbc-server.ts';

/** What both tell: TBC does not know of what block a coin is. */
const comparable = (shape: unknown): unknown =>
  JSON.parse(JSON.stringify(shape, (_, value) => (typeof value === 'bigint' ? String(value) : value)).replaceAll(/ at \d+, 0 unconfirmed/g, ''));

describe('a TBC node as the source of Bitcoin', () => {
  let bitcoind: Bitcoind;
  let server: TbcServer;
  let treasury: BitcoinWallet;
  let hands: BitcoinWallet;
  let wallet: PopWallet;
  let tbc: ReturnType<typeof open>;
  let direct: MinerBitcoin;
  let l2: KeystoneHolder;
  let miner: PopMiner;
  let ids: string[];
  let story = 0;

  const open = (url = server.url, timeoutMs = 5000) => createTbcBitcoin(url, { wallet, timeoutMs });
  const tip = async (): Promise<string> => (await bitcoind.rpc('getbestblockhash', [])) as string;
  const mempool = async (): Promise<string[]> => (await bitcoind.rpc('getrawmempool', [])) as string[];
  const make = async (number: number): Promise<void> => void ids.push(toKeystoneId(hashKeystone(l2.make(1000 * story + number, await tip()))));

  beforeAll(async () => {
    bitcoind = await startBitcoind();
    server = await serveTbc(bitcoind.rpc);
    treasury = createBitcoinWallet({ rpc: bitcoind.rpc, secret: 'treasury' });
    await treasury.mine(110);
  });
  afterAll(async () => {
    await server?.close();
    await bitcoind?.stop();
  });

  beforeEach(async () => {
    story += 1;
    ids = [];
    l2 = createKeystoneHolder();
    hands = createBitcoinWallet({ rpc: bitcoind.rpc, secret: `miner ${story}` });
    wallet = createPopWallet(new Secret(hands.secretKey), { network: 'regtest', kind: 'p2wpkh' });
    await treasury.pay({ outputs: [1n, 2n].map((i) => ({ to: wallet.address, valueSats: 100_000n + i })) });
    await treasury.mine(1);
    tbc = open();
    direct = createMinerBitcoind({ rpc: bitcoind.rpc, wallet, log: silentLogger });
    const deps = { bitcoin: tbc, keystones: l2, wallet, clock: createManualClock(0), log: silentLogger, onFailure: () => undefined };
    miner = createPopMiner(deps, { network: 'regtest', fees: {}, pollMs: 1000 });
  });
  afterEach(() => tbc.close());

  async function expectAgreement(): Promise<void> {
    const [seen, all] = [await tbc.look(ids), await direct.look(ids)];
    const expected = { ...all, confirmed: all.confirmed.filter(({ keystoneId }) => ids.includes(keystoneId)) };
    expect(comparable(toShape(seen))).toEqual(comparable(toShape(expected)));
  }

  it('carries publications, each on the change of the one before: waiting, mined, orphaned, mined again', async () => {
    await expectAgreement();
    for (const number of [25, 50, 75]) await make(number);
    await miner.tick();
    expect(miner.status()).toMatchObject({ publishedCount: 3, pending: 3 });
    expect(await mempool()).toHaveLength(3);
    await expectAgreement();

    const [hash = ''] = await treasury.mine(1);
    await expectAgreement();
    expect((await tbc.look(ids)).spendings).toHaveLength(3);
    await miner.tick();
    expect(miner.status()).toMatchObject({ publishedCount: 3, pending: 0, lastPublication: { state: 'confirmed', confirmations: 1 } });

    await bitcoind.rpc('invalidateblock', [hash]);
    await expectAgreement();
    expect((await tbc.look(ids)).pending).toHaveLength(3);
    await createBitcoinWallet({ rpc: bitcoind.rpc, secret: 'stranger' }).mine(2);
    await expectAgreement();
    await miner.tick();
    expect(miner.status()).toMatchObject({ publishedCount: 3 });
  });

  it('shows a replacement, and neither what it replaced nor what rested on that', async () => {
    await make(25);
    await make(50);
    await miner.tick();
    const [first] = (await tbc.look(ids)).pending.filter(({ spends }) => spends.every(({ unconfirmed }) => unconfirmed === 0));
    const coins = (first?.spends ?? []).map(({ txid, vout, valueSats }) => ({ txid: toDisplay(txid), vout, valueSats, script: wallet.script }));
    const outputs = [{ to: wallet.address, valueSats: 50_000n }];
    const rival = signTransaction(buildTransaction({ inputs: coins, outputs }), coins, [hands.secretKey]);
    await tbc.broadcast(rival.toBuffer());
    await expectAgreement();
    await treasury.mine(1);
    await expectAgreement();
  });

  it('leaves to others what they published', async () => {
    await make(25);
    const other = createMinerActor({ rpc: bitcoind.rpc, keystones: l2, name: `somebody else ${story}` });
    await treasury.pay({ outputs: [{ to: other.wallet.address, valueSats: 100_000n }] });
    await treasury.mine(1);
    await other.miner.tick();
    await treasury.mine(1);
    await miner.tick();
    expect(miner.status()).toMatchObject({ publishedCount: 0 });
    expect((await tbc.look(ids)).confirmed).toHaveLength(1);
  });

  it('publishes anew when its coin went another way', async () => {
    await make(25);
    await miner.tick();
    const [first] = (await tbc.look(ids)).pending;
    const coins = (first?.spends ?? []).map(({ txid, vout, valueSats }) => ({ txid: toDisplay(txid), vout, valueSats, script: wallet.script }));
    const outputs = [{ to: treasury.addresses.p2wpkh, valueSats: 50_000n }];
    const otherwise = signTransaction(buildTransaction({ inputs: coins, outputs }), coins, [hands.secretKey]).toHex();
    await bitcoind.rpc('sendrawtransaction', [otherwise]);
    await miner.tick();
    // Whether the publication was replaced, or only waits, TBC cannot say.
    expect(miner.status()).toMatchObject({ publishedCount: 1, pending: 1 });
    await treasury.mine(1);
    await miner.tick();
    expect(miner.status()).toMatchObject({ publishedCount: 2, pending: 1 });
    expect(await mempool()).toEqual([miner.status().lastPublication?.txid]);
  });

  it('asks for each header once, and connects again after it was cut off', async () => {
    await tbc.look([]);
    server.asked.length = 0;
    await tbc.look([]);
    expect(server.asked).not.toContain('block-headers-by-height-raw');
    server.hangUp();
    const again = await tbc.look([]).catch(() => tbc.look([]));
    expect(again.tipHeight).toBeGreaterThan(110);
  });

  it('gives the estimate for six blocks, and hands refusals over', async () => {
    expect(await tbc.feeMarket()).toEqual({ estimate: undefined, minimum: 1000n, incremental: 1000n });
    server.feeEstimate = [
      { blocks: 1, sats_per_vbyte: 20 },
      { blocks: 6, sats_per_vbyte: 4.5 },
    ];
    expect(await tbc.feeMarket()).toMatchObject({ estimate: 4500n });
    await expect(tbc.broadcast(fromHex('00'))).rejects.toMatchObject({
      code: 'pop-miner/refused',
      message: expect.stringContaining('TX decode failed'),
    });
  });

  it('is known to be on another network, to be away, or not to speak first', async () => {
    await tbc.checkNetwork('regtest');
    await expect(tbc.checkNetwork('signet')).rejects.toMatchObject({ code: 'pop-miner/bitcoin-network' });
    await expect(open('ws://127.0.0.1:1/v1/ws').look([])).rejects.toMatchObject({ code: 'pop-miner/bitcoin-unreachable', severity: 'retry' });
    await expect(open(bitcoind.url.replace('http', 'ws')).look([])).rejects.toMatchObject({ code: 'pop-miner/bitcoin-unreachable' });
    expect(() => open('http://127.0.0.1:1')).toThrow(expect.objectContaining({ code: 'pop-miner/bitcoin-unfit' }));
    server.isSilent = true;
    await expect(open(server.url, 100).look([])).rejects.toMatchObject({
      code: 'pop-miner/bitcoin-unreachable',
      message: expect.stringContaining('no ping'),
    });
    server.isSilent = false;
  });
});
