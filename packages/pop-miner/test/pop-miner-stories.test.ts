import { publicationsIn } from '@hemid/bitcoin';
import { HemidError, hashKeystone, toDigits, toDisplay, toKeystoneId } from '@hemid/protocol';
import { buildTransaction, signTransaction } from '@hemid/testkit';
import { Transaction } from 'bitcoinjs-lib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BitcoinActor, openBitcoin } from './bitcoin-actor.ts';
import { createFeeActor, type FeeActor } from './fee-actor.ts';
import { createKeystoneHolder, type KeystoneHolder } from './keystone-holder.ts';
import { createMinerActor, type MinerActor, type MinerRequest } from './miner-actor.ts';

const COIN_SATS = 1_000_000n;
const HOUR_MS = 3_600_000;
const DEPTHS = process.env['HEMID_LONG'] === undefined ? [1, 3, 12] : Array.from({ length: 12 }, (_, i) => i + 1);

describe('a pop miner beside a bitcoind', () => {
  let bitcoin: BitcoinActor;
  let l2: KeystoneHolder;
  let fees: FeeActor;
  let number: number;
  let ids: string[];
  let start: number;

  beforeEach(async () => {
    bitcoin = await openBitcoin('bitcoind');
    l2 = createKeystoneHolder();
    fees = createFeeActor(1000n);
    [number, ids] = [0, []];
    start = (await bitcoin.rpc('getblockcount', [])) as number;
  });
  afterEach(() => bitcoin.close());

  async function openMiner(coins: number, more: Partial<MinerRequest> = {}): Promise<MinerActor> {
    const actor = createMinerActor({ rpc: bitcoin.rpc, keystones: l2, wrap: fees.wrap, ...more });
    for (let i = 0; i < coins; i += 1) await bitcoin.give(actor.wallet.address, COIN_SATS + BigInt(coins - i));
    if (coins > 0) await bitcoin.mine(1);
    return actor;
  }

  /** Makes a keystone that names the tip. */
  async function makeKeystone(timeMs = 0): Promise<string> {
    number += 25;
    const id = toKeystoneId(hashKeystone(l2.make(number, await bitcoin.tip(), timeMs)));
    ids.push(id);
    return id;
  }

  /** Blocks without the transactions that wait. */
  async function mineEmpty(count: number): Promise<void> {
    for (let i = 0; i < count; i += 1) await bitcoin.rpc('generateblock', [bitcoin.faucet.addresses.p2wpkh, []]);
  }

  const pendingTx = async (txid: string): Promise<Transaction> => Transaction.fromHex((await bitcoin.rpc('getrawtransaction', [txid])) as string);
  const entryOf = async (txid: string) =>
    (await bitcoin.rpc('getmempoolentry', [txid])) as { vsize: number; ancestorsize: number; fees: { base: number; ancestor: number } };
  const inputsOf = (tx: Transaction): string[] => tx.ins.map(({ hash, index }) => `${toDisplay(hash)}:${index}`);

  /** Who published each keystone on the best chain: reward addresses by keystone id. */
  async function readPublished(): Promise<Map<string, string[]>> {
    const found = new Map<string, string[]>();
    const tip = (await bitcoin.rpc('getblockcount', [])) as number;
    for (let height = start; height <= tip; height += 1) {
      const block = await bitcoin.block((await bitcoin.rpc('getblockhash', [height])) as string);
      for (const { key, row } of publicationsIn(block, height)) {
        const id = toDisplay(key.abbreviatedHash);
        found.set(id, [...(found.get(id) ?? []), toDigits(row.miner ?? new Uint8Array())]);
      }
    }
    return found;
  }

  /** Each of the keystones is published once on the best chain. */
  async function expectEachOnce(): Promise<void> {
    const published = await readPublished();
    expect(ids.map((id) => published.get(id)?.length)).toEqual(ids.map(() => 1));
  }

  describe('in a fee storm', () => {
    it('replaces what is stuck, each by the same keystone from the same coins, after two blocks', async () => {
      const { miner } = await openMiner(3);
      for (let i = 0; i < 3; i += 1) await makeKeystone();
      await miner.tick();
      const before = await Promise.all((await bitcoin.mempool()).map(pendingTx));
      fees.ask(50_000n);
      await mineEmpty(1);
      await miner.tick();
      expect(miner.status()).toMatchObject({ replacedCount: 0, feeRate: 50_000n });
      await mineEmpty(1);
      await miner.tick();
      await miner.tick();

      const after = await Promise.all((await bitcoin.mempool()).map(pendingTx));
      expect(after.flatMap(inputsOf).sort()).toEqual(before.flatMap(inputsOf).sort());
      expect(after.map((tx) => tx.getId()).some((id) => before.some((tx) => tx.getId() === id))).toBe(false);
      const { queue, ...status } = miner.status();
      expect(status).toMatchObject({ pending: 3, publishedCount: 3, replacedCount: 3 });
      expect(status.trouble).toBeUndefined();
      expect(queue.map(({ standing, feeRate }) => [standing, feeRate])).toEqual(ids.map(() => ['pending', 50_000n]));
      await bitcoin.mine(1);
      await expectEachOnce();
    });

    it('does not drop the keystones of a chain: its end pays for all of it', async () => {
      const { miner } = await openMiner(1);
      for (let i = 0; i < 3; i += 1) {
        await makeKeystone();
        await miner.tick();
      }
      await mineEmpty(1);
      await makeKeystone();
      await miner.tick();
      const before = await bitcoin.mempool();
      fees.ask(50_000n);
      await mineEmpty(1);
      await miner.tick();
      // The last has not waited long enough, and those before it cannot be replaced without dropping it.
      expect((await bitcoin.mempool()).sort()).toEqual([...before].sort());
      await mineEmpty(1);
      await miner.tick();

      const after = await bitcoin.mempool();
      expect(after.filter((txid) => before.includes(txid))).toHaveLength(3);
      const [end = ''] = after.filter((txid) => !before.includes(txid));
      const { fees: paid, ancestorsize } = await entryOf(end);
      expect(paid.ancestor * 1e8).toBeGreaterThanOrEqual(ancestorsize * 50);
      expect(paid.ancestor * 1e8).toBeLessThan(ancestorsize * 51);
      expect(miner.status()).toMatchObject({ pending: 4, replacedCount: 1 });
      await bitcoin.mine(1);
      await expectEachOnce();
    });

    it('lets the next keystone pay for the chain that it rests on', async () => {
      const { miner } = await openMiner(1);
      await makeKeystone();
      await miner.tick();
      fees.ask(50_000n);
      await makeKeystone();
      await miner.tick();
      const { fees: paid, ancestorsize } = await entryOf(miner.status().lastPublication?.txid ?? '');
      expect(paid.ancestor * 1e8).toBeGreaterThanOrEqual(ancestorsize * 50);
      await mineEmpty(3);
      await miner.tick();
      expect(miner.status()).toMatchObject({ publishedCount: 2, replacedCount: 0 });
    });

    it('gets a chain mined that holds its only coin, although newer keystones have taken the place of those in it', async () => {
      const { miner } = await openMiner(1);
      for (let i = 0; i < 20; i += 1) {
        await makeKeystone();
        await miner.tick();
      }
      fees.ask(20_000n);
      await mineEmpty(1);
      for (let i = 0; i < 12; i += 1) await makeKeystone();
      await miner.tick();
      expect(miner.status()).toMatchObject({ pending: 20, replacedCount: 0, trouble: expect.stringMatching(/must wait for blocks/) });
      await mineEmpty(1);
      await miner.tick();
      expect(miner.status()).toMatchObject({ pending: 20, replacedCount: 1 });
      await bitcoin.mine(1);
      await miner.tick();
      await bitcoin.mine(1);
      await expectEachOnce();
    });

    it('stays below its cap and says so, and goes on when the storm is over', async () => {
      const { miner } = await openMiner(2, { fees: { maxRate: 40_000n } });
      await makeKeystone();
      await miner.tick();
      fees.ask(50_000n);
      await mineEmpty(2);
      await makeKeystone();
      await miner.tick();
      expect(miner.status()).toMatchObject({ publishedCount: 1, replacedCount: 0, trouble: expect.stringMatching(/above the limit of 40 sats/) });
      expect(miner.status().queue.map(({ standing, reason }) => [standing, reason])).toEqual([
        ['due', 'fee-too-high'],
        ['pending', 'fee-too-high'],
      ]);
      fees.ask(30_000n);
      await miner.tick();
      expect(miner.status()).toMatchObject({ publishedCount: 2, replacedCount: 1 });
      expect(miner.status().trouble).toBeUndefined();
      await bitcoin.mine(1);
      await expectEachOnce();
    });
  });

  describe('with a budget', () => {
    it('spends no more in a day, also after a restart, and goes on when the day is over', async () => {
      const first = await openMiner(2, { options: { budgetSats: 500n } });
      // Older than the blocks that a new miner reads: what these inputs were worth only bitcoind remembers.
      await bitcoin.mine(210);
      fees.ask(1100n);
      for (let i = 0; i < 3; i += 1) await makeKeystone(i);
      await first.miner.tick();
      const { spentSats } = first.miner.status().budget;
      expect(spentSats).toBe(2n * 223n);
      expect(first.miner.status()).toMatchObject({
        publishedCount: 2,
        budget: { limitSats: 500n },
        trouble: expect.stringMatching(/budget of 500 sats/),
      });
      expect(first.miner.status().queue.map(({ reason }) => reason)).toEqual([undefined, undefined, 'budget']);

      await bitcoin.mine(100);
      fees.ask(1000n);
      const second = first.reborn();
      await second.miner.tick();
      expect(second.miner.status()).toMatchObject({ publishedCount: 0, budget: { limitSats: 500n, spentSats } });
      await bitcoin.mine(43);
      await second.miner.tick();
      expect(second.miner.status().queue.at(-1)).toMatchObject({ standing: 'due', reason: 'budget' });
      await bitcoin.mine(2);
      await makeKeystone(10);
      await second.miner.tick();
      expect(second.miner.status()).toMatchObject({ publishedCount: 1, budget: { spentSats: 202n } });
    });

    it('says how long its coins last', async () => {
      const { miner } = await openMiner(1);
      for (let i = 0; i < 12; i += 1) await makeKeystone((i * HOUR_MS) / 12);
      await miner.tick();
      const perDay = 288 * 202;
      expect(miner.status().runwayDays).toBeCloseTo(Number(miner.status().balanceSats) / perDay, 0);
      fees.ask(2000n);
      const before = miner.status().runwayDays ?? 0;
      await miner.tick();
      expect(miner.status().runwayDays).toBeCloseTo(before / 2, 0);
    });
  });

  describe('whose mempool is full', () => {
    it('publishes what was driven out again, from the same coin, for what is asked now', async () => {
      const small = await openBitcoin('bitcoind', ['-maxmempool=5']);
      try {
        const actor = createMinerActor({ rpc: small.rpc, keystones: l2 });
        const { miner, wallet } = actor;
        await small.mine(30);
        await small.give(wallet.address, COIN_SATS);
        await small.mine(1);
        l2.make(25, await small.tip());
        await miner.tick();
        const [txid = ''] = await small.mempool();
        const spent = inputsOf(Transaction.fromHex((await small.rpc('getrawtransaction', [txid])) as string));
        // Another coin, larger than the first: it would be chosen, were it not for the transaction that may live elsewhere.
        await small.give(wallet.address, COIN_SATS * 5n);
        await small.rpc('prioritisetransaction', [txid, 0, -200]);
        await small.mine(1);
        await fill(small, txid);
        await miner.tick();

        const [again = ''] = miner.status().queue.map(({ txid: own }) => own);
        expect(again).not.toBe(txid);
        expect(inputsOf(Transaction.fromHex((await small.rpc('getrawtransaction', [again])) as string))).toEqual(spent);
        const { mempoolminfee } = (await small.rpc('getmempoolinfo', [])) as { mempoolminfee: number };
        expect(Number(miner.status().queue[0]?.feeRate)).toBeGreaterThanOrEqual(Math.floor(mempoolminfee * 1e8));
        expect(mempoolminfee).toBeGreaterThan(0.00001);
        await small.mine(1);
        await miner.tick();
        expect(miner.status().lastPublication).toMatchObject({ txid: again, state: 'confirmed' });
      } finally {
        await small.close();
      }
    });

    /** Sends large transactions that pay more, until there is no room for `txid`. */
    async function fill(crowded: BitcoinActor, txid: string): Promise<void> {
      const outputs = Array.from({ length: 2900 }, () => ({ to: crowded.faucet.addresses.p2wpkh, valueSats: 400n }));
      for (let feeRate = 20; (await crowded.mempool()).includes(txid); feeRate += 1) await crowded.faucet.pay({ outputs, feeRate });
    }
  });

  it('keeps publishing from one coin when keystones queue up, and has several coins from the next block on', async () => {
    const { miner } = await openMiner(1);
    for (let i = 0; i < 12; i += 1) await makeKeystone();
    await miner.tick();
    expect(miner.status()).toMatchObject({ pending: 12, publishedCount: 12, coins: 4 });
    // All of them rest on the first: bitcoind would refuse the 26th.
    for (let i = 0; i < 12; i += 1) await makeKeystone();
    await miner.tick();
    expect(miner.status()).toMatchObject({ pending: 20, trouble: expect.stringMatching(/must wait for blocks/) });
    await bitcoin.mine(1);
    await miner.tick();
    await bitcoin.mine(1);
    for (let i = 0; i < 3; i += 1) await makeKeystone();
    await miner.tick();
    for (const { txid } of miner.status().queue.filter(({ standing }) => standing === 'pending')) {
      expect((await entryOf(txid ?? '')).ancestorsize).toBe((await entryOf(txid ?? '')).vsize);
    }
    await bitcoin.mine(1);
    await expectEachOnce();
  });

  it('gathers small coins while fees are low, not while they are high', async () => {
    const { miner, wallet } = await openMiner(1, { fees: { gatherRate: 1500n } });
    for (let i = 0; i < 6; i += 1) await bitcoin.give(wallet.address, 1000n);
    await bitcoin.mine(1);
    fees.ask(1600n);
    await makeKeystone();
    await miner.tick();
    expect(miner.status().coins).toBe(7);
    await bitcoin.mine(1);
    fees.ask(1500n);
    await makeKeystone();
    await miner.tick();
    expect(miner.status().coins).toBe(1);
    await bitcoin.mine(1);
    await expectEachOnce();
  });

  it('is one of two that race: each keystone is published, by neither of them twice', async () => {
    const miners = [await openMiner(2, { name: 'alice' }), await openMiner(2, { name: 'bob' })];
    for (let i = 0; i < 6; i += 1) {
      await makeKeystone();
      await Promise.all(miners.slice(i % 2).map(({ miner }) => miner.tick()));
      if (i % 3 === 2) await bitcoin.mine(1);
    }
    await Promise.all(miners.map(({ miner }) => miner.tick()));
    await bitcoin.mine(1);
    const published = await readPublished();
    for (const id of ids) {
      const by = published.get(id) ?? [];
      expect(by.length).toBeGreaterThan(0);
      expect(new Set(by).size).toBe(by.length);
    }
  });

  it.each(DEPTHS)('survives reorgs of %i blocks that move, drop, or give to another what it published', async (depth) => {
    const actor = await openMiner(4);
    const rival = await openMiner(3, { name: 'rival' });
    await bitcoin.mine(12);
    for (const fate of ['moved', 'dropped', 'taken'] as const) {
      await makeKeystone();
      await actor.miner.tick();
      const txid = actor.miner.status().lastPublication?.txid ?? '';
      const conflict = await spendOtherwise(actor, txid);
      const [first = ''] = await bitcoin.mine(depth);
      await actor.miner.tick();
      const { publishedCount } = actor.miner.status();
      await bitcoin.invalidate(first);
      if (fate !== 'moved') await bitcoin.rpc('sendrawtransaction', [conflict]);
      if (fate === 'taken') await rival.miner.tick();
      await bitcoin.mineElsewhere(depth + 1);
      await actor.miner.tick();
      // Of more than ten blocks that are invalidated bitcoind takes nothing back into its mempool.
      const isLost = fate === 'dropped' || (fate === 'moved' && depth > 10);
      expect([fate, actor.miner.status().publishedCount]).toEqual([fate, publishedCount + (isLost ? 1 : 0)]);
      await bitcoin.mine(1);
    }
    await expectEachOnce();
  });

  /** A transaction, as hex, that spends the first coin of another with the same key, for a higher fee. */
  async function spendOtherwise({ wallet, otherHands }: MinerActor, txid: string): Promise<string> {
    const tx = await pendingTx(txid);
    const valueSats = (tx.outs[0]?.value ?? 0n) + BigInt(Math.round((await entryOf(txid)).fees.base * 1e8));
    const inputs = tx.ins.map(({ hash, index }) => ({ txid: toDisplay(hash), vout: index, valueSats, script: wallet.script }));
    const outputs = [{ to: bitcoin.faucet.addresses.p2wpkh, valueSats: valueSats - 20_000n }];
    return signTransaction(buildTransaction({ inputs, outputs }), inputs, [otherHands.secretKey]).toHex();
  }

  it('may be killed at every step: nothing is published twice, nothing is left out', async () => {
    const funded = await openMiner(3);
    let killed = 0;
    for (let step = 0; ; step += 1) {
      // The rate rises every time: what waits is replaced, and killed in that too.
      fees.ask(BigInt(1500 + 500 * step));
      await makeKeystone();
      if (step % 3 !== 2) await makeKeystone();
      const isDone = await runKilled(step);
      await openHeir().miner.tick();
      if (step % 3 === 2) await bitcoin.mine(1);
      expect(((await bitcoin.rpc('getmempoolinfo', [])) as { size: number }).size).toBeLessThan(20);
      if (isDone) break;
      killed += 1;
    }
    expect(killed).toBeGreaterThan(8);
    await bitcoin.mine(1);
    await expectEachOnce();

    function openHeir(wrap: MinerRequest['wrap'] = (real) => real): MinerActor {
      const request = {
        rpc: bitcoin.rpc,
        keystones: l2,
        options: { stuckBlocks: 0 },
        wrap: (real: Parameters<typeof fees.wrap>[0]) => fees.wrap(wrap(real)),
      };
      expect(createMinerActor(request).wallet.address).toBe(funded.wallet.address);
      return createMinerActor(request);
    }

    /** A miner that dies at its n-th step: just before it asks Bitcoin something, or just before it hears the answer. */
    async function runKilled(step: number): Promise<boolean> {
      let left = step;
      const guard = async <T>(call: () => Promise<T>): Promise<T> => {
        if (left-- === 0) throw new Error('killed');
        const answer = await call();
        if (left-- === 0) throw new Error('killed');
        return answer;
      };
      const { miner } = openHeir((real) => ({
        ...real,
        checkNetwork: (network) => guard(() => real.checkNetwork(network)),
        look: (wanted) => guard(() => real.look(wanted)),
        feeMarket: () => guard(() => real.feeMarket()),
        broadcast: (raw) => guard(() => real.broadcast(raw)),
      }));
      return miner.tick().then(
        () => true,
        (error: Error) => {
          expect(error.message).toBe('killed');
          return false;
        },
      );
    }
  });

  it('helps its publication along while the L2 node is away for an hour, and catches up then', async () => {
    const { miner } = await openMiner(1);
    await makeKeystone();
    await miner.tick();
    l2.failure = new HemidError('pop-miner/node-unreachable', 'retry', 'the L2 node is away');
    fees.ask(20_000n);
    await mineEmpty(2);
    await miner.tick();
    expect(miner.status()).toMatchObject({ replacedCount: 1, trouble: 'the L2 node is away' });
    for (let i = 0; i < 6; i += 1) {
      for (let j = 0; j < 2; j += 1) await makeKeystone();
      await bitcoin.mine(1);
      await miner.tick();
    }
    expect(miner.status().trouble).toBe('the L2 node is away');
    l2.failure = undefined;
    await miner.tick();
    expect(miner.status()).toMatchObject({ publishedCount: 13, abandoned: [] });
    await bitcoin.mine(1);
    await expectEachOnce();
  });

  it('gives up keystones that are too old, by its clock, and takes them up again when the clock was wrong', async () => {
    const actor = await openMiner(1, { options: { maxAgeMs: 4 * HOUR_MS } });
    const { miner, clock } = actor;
    await makeKeystone(0);
    await clock.advance(5 * HOUR_MS);
    await makeKeystone(HOUR_MS);
    await miner.tick();
    expect(miner.status().queue.map(({ standing, reason }) => [standing, reason])).toEqual([
      ['pending', undefined],
      ['old', 'old'],
    ]);
    for (let i = 0; i < 12; i += 1) await makeKeystone(5 * HOUR_MS);
    await miner.tick();
    expect(miner.status()).toMatchObject({ publishedCount: 13, abandoned: [{ keystone: 25, id: ids[0], reason: 'old' }] });

    const late = actor.reborn();
    await makeKeystone(-HOUR_MS);
    await late.miner.tick();
    expect(late.miner.status().publishedCount).toBe(1);
  });
});
