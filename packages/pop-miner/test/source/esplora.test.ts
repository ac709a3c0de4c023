import { createEsploraBitcoin, createMinerBitcoind, createPopMiner, createPopWallet, type MinerBitcoin, type PopWallet } from '@hemid/pop-miner';
import { fromHex, toDisplay } from '@hemid/protocol';
import { Secret, silentLogger } from '@hemid/runtime';
import {
  type Bitcoind,
  type BitcoinWallet,
  buildTransaction,
  createBitcoinWallet,
  createManualClock,
  type EsploraServer,
  serveEsplora,
  signTransaction,
  startBitcoind,
} from '@hemid/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKeystoneHolder } from '../keystone-holder.ts';
import { createMinerActor } from '../miner-actor.ts';
import { toShape } from './outlook-shape.ts';

describe('an Esplora server as the source of Bitcoin', () => {
  let bitcoind: Bitcoind;
  let server: EsploraServer;
  let treasury: BitcoinWallet;
  let hands: BitcoinWallet;
  let wallet: PopWallet;
  let esplora: MinerBitcoin;
  let direct: MinerBitcoin;
  const l2 = createKeystoneHolder();

  const tip = async (): Promise<string> => (await bitcoind.rpc('getbestblockhash', [])) as string;
  const mine = (count: number): Promise<string[]> => treasury.mine(count);
  const open = (url = server.url): MinerBitcoin => createEsploraBitcoin(url, { wallet, log: silentLogger, timeoutMs: 5000 });

  beforeAll(async () => {
    bitcoind = await startBitcoind();
    server = await serveEsplora(bitcoind.rpc);
    treasury = createBitcoinWallet({ rpc: bitcoind.rpc, secret: 'treasury' });
    hands = createBitcoinWallet({ rpc: bitcoind.rpc, secret: 'miner' });
    wallet = createPopWallet(new Secret(hands.secretKey), { network: 'regtest', kind: 'p2wpkh' });
    await hands.mine(1);
    await mine(110);
    await hands.mine(1);
    esplora = open();
    direct = createMinerBitcoind({ rpc: bitcoind.rpc, wallet, log: silentLogger });
  });
  afterAll(async () => {
    await server?.close();
    await bitcoind?.stop();
  });

  /** Both sources see the same, also one that never looked before. */
  async function expectAgreement(): Promise<void> {
    const shape = toShape(await direct.look([]));
    expect(toShape(await esplora.look([]))).toEqual(shape);
    expect(toShape(await open().look([]))).toEqual(shape);
  }

  /** One round of a miner that sees Bitcoin through Esplora. */
  async function publish(): Promise<string> {
    const deps = { bitcoin: esplora, keystones: l2, wallet, clock: createManualClock(0), log: silentLogger, onFailure: () => undefined };
    const miner = createPopMiner(deps, { network: 'regtest', fees: {}, pollMs: 1000 });
    await miner.tick();
    expect(miner.status()).toMatchObject({ publishedCount: 1 });
    return miner.status().lastPublication?.txid ?? '';
  }

  it('shows the coins, mature or not, as bitcoind does', async () => {
    await treasury.pay({ outputs: [{ to: wallet.address, valueSats: 100_000n }] });
    await expectAgreement();
    await mine(1);
    await expectAgreement();
    expect((await esplora.look([])).coins).toHaveLength(3);
  });

  it('carries publications: broadcast, waiting, mined, orphaned, mined again', async () => {
    l2.make(25, await tip());
    const txid = await publish();
    expect(await bitcoind.rpc('getrawmempool', [])).toEqual([txid]);
    await expectAgreement();

    l2.make(50, await tip());
    await publish();
    await expectAgreement();
    const [hash = ''] = await mine(1);
    await expectAgreement();
    expect((await esplora.look([])).spendings).toHaveLength(2);

    await bitcoind.rpc('invalidateblock', [hash]);
    await expectAgreement();
    expect((await esplora.look([])).pending).toHaveLength(2);
    await createBitcoinWallet({ rpc: bitcoind.rpc, secret: 'stranger' }).mine(2);
    await expectAgreement();
    expect((await esplora.look([])).pending).toEqual([]);
  });

  it('finds the publications of others in the blocks', async () => {
    const other = createMinerActor({ rpc: bitcoind.rpc, keystones: l2, name: 'somebody else' });
    await treasury.pay({ outputs: [{ to: other.wallet.address, valueSats: 100_000n }] });
    await mine(1);
    l2.make(75, await tip());
    await other.miner.tick();
    await mine(1);
    await expectAgreement();
    expect((await esplora.look([])).confirmed).toHaveLength(3);
  });

  it('sees what the same key spends elsewhere, together with coins of others', async () => {
    await hands.pay({ outputs: [{ to: treasury.addresses.p2wpkh, valueSats: 20_000n }] });
    await expectAgreement();
    await mine(1);
    await expectAgreement();
  });

  it('remembers what it handed over while the server has not seen it in the mempool', async () => {
    server.isLagging = true;
    for (const number of [100, 125]) l2.make(number, await tip());
    const deps = { bitcoin: esplora, keystones: l2, wallet, clock: createManualClock(0), log: silentLogger, onFailure: () => undefined };
    const miner = createPopMiner(deps, { network: 'regtest', fees: {}, pollMs: 1000 });
    await miner.tick();
    await miner.tick();
    expect(miner.status()).toMatchObject({ publishedCount: 2, pending: 2 });
    expect(miner.status().trouble).toBeUndefined();
    expect(await bitcoind.rpc('getrawmempool', [])).toHaveLength(2);
    const [first] = (await esplora.look([])).pending;
    const coins = (first?.spends ?? []).map(({ txid, vout, valueSats }) => ({ txid: toDisplay(txid), vout, valueSats, script: wallet.script }));
    const rival = buildTransaction({ inputs: coins, outputs: [{ to: wallet.address, valueSats: (coins[0]?.valueSats ?? 0n) - 10_000n }] });
    await esplora.broadcast(signTransaction(rival, coins, [hands.secretKey]).toBuffer());
    expect(toShape(await esplora.look([]))).toEqual(toShape(await direct.look([])));
    server.isLagging = false;
    await expectAgreement();
    await mine(1);
    await expectAgreement();
  });

  it('reads each block once', async () => {
    const before = server.asked.length;
    await esplora.look([]);
    expect(server.asked.slice(before).filter((path) => path.endsWith('/raw'))).toEqual([]);
    const [hash = ''] = await mine(1);
    await esplora.look([]);
    expect(server.asked.slice(before).filter((path) => path.endsWith('/raw'))).toEqual([`/block/${hash}/raw`]);
  });

  it('gives the estimate for six blocks, if there is one', async () => {
    expect(await esplora.feeMarket()).toEqual({ estimate: undefined, minimum: 1000n, incremental: 1000n });
    server.feeEstimates = { 2: 87.882, 6: 68.285, 144: 1.027 };
    expect(await esplora.feeMarket()).toMatchObject({ estimate: 68_285n });
  });

  it('hands a refusal over in the words of the node', async () => {
    await expect(esplora.broadcast(fromHex('00'))).rejects.toMatchObject({
      code: 'pop-miner/refused',
      severity: 'retry',
      message: expect.stringContaining('TX decode failed'),
    });
  });

  it('is known to be on another network, to be silent, or to be something else', async () => {
    await esplora.checkNetwork('regtest');
    await expect(esplora.checkNetwork('mainnet')).rejects.toMatchObject({
      code: 'pop-miner/bitcoin-network',
      message: 'the Bitcoin source is on regtest, popmd is configured for mainnet',
    });
    server.failure = 429;
    await expect(esplora.look([])).rejects.toMatchObject({
      code: 'pop-miner/bitcoin-answer',
      severity: 'retry',
      message: expect.stringContaining('fewer'),
    });
    server.failure = undefined;
    await expect(open(bitcoind.url).look([])).rejects.toMatchObject({ severity: 'retry' });
    await expect(open('http://127.0.0.1:1/api').look([])).rejects.toMatchObject({ code: 'pop-miner/bitcoin-unreachable' });
    expect(() => open('ws://127.0.0.1:1')).toThrow(expect.objectContaining({ code: 'pop-miner/bitcoin-unfit' }));
  });
});
