import { HemidError } from '@hemid/protocol';
import { type Bitcoind, createBitcoinWallet, startBitcoind } from '@hemid/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BitcoinActor, openBitcoin } from './bitcoin-actor.ts';
import { createKeystoneHolder, type KeystoneHolder } from './keystone-holder.ts';
import { createMinerActor, type MinerActor, POLL_MS } from './miner-actor.ts';

/** Lets everything run that is ready, until `condition` holds. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000 && !condition(); turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(condition()).toBe(true);
}

describe('the life of a pop miner', () => {
  let bitcoin: BitcoinActor;
  let l2: KeystoneHolder;
  let actor: MinerActor;
  let controller: AbortController;

  beforeEach(async () => {
    bitcoin = await openBitcoin('embedded regtest');
    l2 = createKeystoneHolder();
    actor = createMinerActor({ rpc: bitcoin.rpc, keystones: l2 });
    controller = new AbortController();
    await bitcoin.give(actor.wallet.address, 100_000n);
    await bitcoin.mine(1);
  });
  afterEach(async () => {
    controller.abort();
    await actor.miner.stop();
    await bitcoin.close();
  });

  it('looks at once when it starts, and again whenever the poll time is over, until it is stopped', async () => {
    const { miner, clock } = actor;
    const named = await bitcoin.tip();
    l2.make(25, named);
    await miner.start(controller.signal);
    await until(() => miner.status().pending === 1);

    l2.make(50, named);
    await clock.advance(POLL_MS - 1);
    expect(miner.status().publishedCount).toBe(1);
    await clock.advance(1);
    await until(() => miner.status().pending === 2);

    controller.abort();
    await miner.stop();
    l2.make(75, named);
    await clock.advance(POLL_MS * 2);
    expect(miner.status().publishedCount).toBe(2);
  });

  it('keeps a trouble of the L2 node in its status, still sees Bitcoin meanwhile, and goes on when it is over', async () => {
    const { miner } = actor;
    l2.make(25, await bitcoin.tip());
    l2.failure = new HemidError('pop-miner/node-unreachable', 'retry', 'the L2 node is away');
    await miner.tick();
    expect(miner.status()).toMatchObject({ trouble: 'the L2 node is away', balanceSats: 100_000n, publishedCount: 0 });
    l2.failure = undefined;
    await miner.tick();
    expect(miner.status()).toMatchObject({ publishedCount: 1 });
    expect(miner.status().trouble).toBeUndefined();
  });

  it('hands an unexpected error to its owner and stops', async () => {
    const { miner, clock, failures } = actor;
    const bug = new TypeError('a bug');
    l2.failure = bug;
    await miner.start(controller.signal);
    await until(() => failures.length > 0);
    await clock.advance(POLL_MS * 3);
    expect(failures).toEqual([bug]);
    expect(miner.status().publishedCount).toBe(0);
  });

  it('runs one round at a time, however it is asked', async () => {
    const { miner } = actor;
    l2.make(25, await bitcoin.tip());
    await Promise.all([miner.tick(), miner.tick(), miner.tick()]);
    expect(miner.status()).toMatchObject({ publishedCount: 1, pending: 1 });
    expect(await bitcoin.mempool()).toHaveLength(1);
  });
});

describe('a pop miner whose bitcoind dies', () => {
  let bitcoind: Bitcoind;

  beforeEach(async () => {
    bitcoind = await startBitcoind({ args: ['-txindex=0'] });
  });
  afterEach(() => bitcoind.stop());

  it('waits for it, and sends the same transaction again when the mempool was lost', async () => {
    const { rpc } = bitcoind;
    const faucet = createBitcoinWallet({ rpc, secret: 'faucet' });
    const l2 = createKeystoneHolder();
    const { miner, wallet } = createMinerActor({ rpc, keystones: l2 });
    await faucet.mine(110);
    await faucet.pay({ outputs: [{ to: wallet.address, valueSats: 100_000n }] });
    await faucet.mine(1);
    l2.make(25, (await rpc('getbestblockhash', [])) as string);
    await miner.tick();
    const txid = miner.status().lastPublication?.txid;

    await bitcoind.kill();
    await miner.tick();
    expect(miner.status().trouble).toMatch(/cannot be reached/);
    expect(miner.status().publishedCount).toBe(1);

    await bitcoind.restart();
    await miner.tick();
    expect(miner.status()).toMatchObject({ publishedCount: 2, pending: 1, lastPublication: { txid, state: 'mempool' } });
    expect(miner.status().trouble).toBeUndefined();
  });
});
