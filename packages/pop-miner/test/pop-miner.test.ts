import { type BitcoinRpc, publicationsIn } from '@hemid/bitcoin';
import { abbreviate, encodePopScript, hashKeystone, toDigits, toDisplay, toKeystoneId } from '@hemid/protocol';
import { buildTransaction, signTransaction } from '@hemid/testkit';
import { Transaction } from 'bitcoinjs-lib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BitcoinActor, type BitcoinKind, openBitcoin } from './bitcoin-actor.ts';
import { createKeystoneHolder, type KeystoneHolder } from './keystone-holder.ts';
import { createMinerActor, type MinerActor, type MinerRequest } from './miner-actor.ts';

const COIN_SATS = 100_000n;

describe.each<BitcoinKind>(['embedded regtest', 'bitcoind'])('a pop miner on %s', (kind) => {
  let bitcoin: BitcoinActor;
  let l2: KeystoneHolder;

  beforeEach(async () => {
    bitcoin = await openBitcoin(kind);
    l2 = createKeystoneHolder();
  });
  afterEach(() => bitcoin.close());

  /** A miner with so many confirmed coins. */
  async function openMiner(coins: number, more: Partial<MinerRequest> = {}): Promise<MinerActor> {
    const actor = createMinerActor({ rpc: bitcoin.rpc, keystones: l2, ...more });
    for (let i = 0; i < coins; i += 1) await bitcoin.give(actor.wallet.address, COIN_SATS + BigInt(coins - i));
    if (coins > 0) await bitcoin.mine(1);
    return actor;
  }

  const transaction = async (txid: string): Promise<Transaction> => Transaction.fromHex((await bitcoin.rpc('getrawtransaction', [txid])) as string);
  const ancestors = async (txid: string): Promise<number> =>
    ((await bitcoin.rpc('getmempoolentry', [txid])) as { ancestorcount: number }).ancestorcount;
  const lastTxid = ({ miner }: MinerActor): string => miner.status().lastPublication?.txid ?? '';

  /** A transaction, as hex, that spends the coin of another with the same key, for a much higher fee. */
  async function spendOtherwise({ wallet, otherHands }: MinerActor, txid: string): Promise<string> {
    const [input] = (await transaction(txid)).ins;
    const spent = { txid: toDisplay(input?.hash ?? new Uint8Array()), vout: input?.index ?? 0, valueSats: COIN_SATS + 2n, script: wallet.script };
    const outputs = [{ to: bitcoin.faucet.addresses.p2wpkh, valueSats: COIN_SATS - 10_000n }];
    return signTransaction(buildTransaction({ inputs: [spent], outputs }), [spent], [otherHands.secretKey]).toHex();
  }

  it('publishes what is due, the newest keystone first, and says so', async () => {
    const { miner, wallet } = await openMiner(1);
    const named = await bitcoin.tip();
    l2.make(25, named);
    l2.make(50, named);
    const newest = toKeystoneId(hashKeystone(l2.make(75, named)));
    await miner.tick();

    expect(await bitcoin.mempool()).toHaveLength(3);
    const status = miner.status();
    expect(status).toMatchObject({ address: wallet.address, coins: 1, pending: 3, publishedCount: 3 });
    expect(status.lastPublication).toMatchObject({ keystoneNumber: 75, keystoneId: newest, state: 'mempool', confirmations: 0 });
    expect(status.trouble).toBeUndefined();
    // One coin pays for all: each publication rests on the one before it.
    expect(await ancestors(status.lastPublication?.txid ?? '')).toBe(1);
  });

  it.each(['p2wpkh', 'p2pkh'] as const)('is paid for a publication from a %s address, and notices its confirmations', async (addressKind) => {
    const { miner, wallet } = await openMiner(1, { kind: addressKind });
    const id = toKeystoneId(hashKeystone(l2.make(25, await bitcoin.tip())));
    await miner.tick();
    const [hash = ''] = await bitcoin.mine(1);
    await miner.tick();

    expect(miner.status()).toMatchObject({
      pending: 0,
      publishedCount: 1,
      lastPublication: { keystoneId: id, state: 'confirmed', confirmations: 1 },
    });
    const [publication] = publicationsIn(await bitcoin.block(hash), 112);
    expect(toDisplay(publication?.key.abbreviatedHash ?? new Uint8Array())).toBe(id);
    expect(toDigits(publication?.row.miner ?? new Uint8Array())).toBe(toDigits(wallet.miner));

    await bitcoin.mine(2);
    await miner.tick();
    expect(miner.status()).toMatchObject({ publishedCount: 1, lastPublication: { confirmations: 3 } });
    expect(await bitcoin.mempool()).toEqual([]);
  });

  it('pays the fee that the exact size asks for, and takes the change back', async () => {
    const { miner } = await openMiner(1, { fees: { staticRate: 1500n } });
    l2.make(25, await bitcoin.tip());
    await miner.tick();
    const [txid = ''] = await bitcoin.mempool();
    const tx = await transaction(txid);
    expect(tx.outs).toHaveLength(2);
    const change = tx.outs[0]?.value ?? 0n;
    expect(COIN_SATS + 1n - change).toBe(BigInt(Math.ceil((tx.virtualSize() * 1500) / 1000)));
    expect(miner.status()).toMatchObject({ balanceSats: change, spendableSats: change });
  });

  it('does not publish again when a reorg brings its transaction back into the mempool', async () => {
    const actor = await openMiner(2);
    l2.make(25, await bitcoin.tip());
    await actor.miner.tick();
    const txid = lastTxid(actor);
    const [hash = ''] = await bitcoin.mine(1);
    await actor.miner.tick();
    await bitcoin.invalidate(hash);
    await actor.miner.tick();

    expect(await bitcoin.mempool()).toEqual([txid]);
    expect(actor.miner.status()).toMatchObject({ pending: 1, publishedCount: 1, coins: 2, lastPublication: { txid, state: 'mempool' } });

    await bitcoin.mineElsewhere(2);
    await actor.miner.tick();
    expect(actor.miner.status()).toMatchObject({ pending: 0, publishedCount: 1, lastPublication: { txid, state: 'confirmed', confirmations: 2 } });
  });

  it('publishes again when its input was spent otherwise on the new branch', async () => {
    const actor = await openMiner(2);
    const id = toKeystoneId(hashKeystone(l2.make(25, await bitcoin.tip())));
    await actor.miner.tick();
    const txid = lastTxid(actor);
    const conflict = await spendOtherwise(actor, txid);
    const [hash = ''] = await bitcoin.mine(1);
    await actor.miner.tick();
    await bitcoin.invalidate(hash);
    await bitcoin.rpc('sendrawtransaction', [conflict]);
    await bitcoin.mineElsewhere(2);
    await actor.miner.tick();

    expect(actor.miner.status()).toMatchObject({ pending: 1, publishedCount: 2, lastPublication: { keystoneId: id, state: 'mempool' } });
    expect(lastTxid(actor)).not.toBe(txid);
  });

  it.each(['p2wpkh', 'p2pkh'] as const)('leaves a %s coin alone that the same key is spending elsewhere', async (addressKind) => {
    const { miner, otherHands } = await openMiner(2, { kind: addressKind });
    const [largest] = await otherHands.coins(addressKind);
    const coins = largest === undefined ? [] : [largest];
    const outputs = [{ to: bitcoin.faucet.addresses.p2wpkh, valueSats: COIN_SATS - 10_000n }];
    await bitcoin.rpc('sendrawtransaction', [signTransaction(buildTransaction({ inputs: coins, outputs }), coins, [otherHands.secretKey]).toHex()]);
    l2.make(25, await bitcoin.tip());
    await miner.tick();
    expect(miner.status()).toMatchObject({ publishedCount: 1, pending: 1, coins: 1 });
    expect(await bitcoin.mempool()).toHaveLength(2);
  });

  it('does not publish again after a restart, with its transaction in the mempool or in a block', async () => {
    const first = await openMiner(3);
    l2.make(25, await bitcoin.tip());
    await first.miner.tick();
    const second = first.reborn();
    await second.miner.tick();
    expect(second.miner.status()).toMatchObject({
      pending: 1,
      publishedCount: 0,
      coins: 3,
      lastPublication: { keystoneNumber: 25, state: 'mempool' },
    });

    await bitcoin.mine(1);
    const third = second.reborn();
    await third.miner.tick();
    expect(await bitcoin.mempool()).toEqual([]);
    expect(third.miner.status()).toMatchObject({ pending: 0, publishedCount: 0, lastPublication: { state: 'confirmed', confirmations: 1 } });
  });

  it('knows its transaction in the mempool although a reorg took the payment that it spends back there too', async () => {
    const first = await openMiner(1);
    l2.make(25, await bitcoin.tip());
    await bitcoin.give(first.wallet.address, COIN_SATS * 2n);
    const [paid = ''] = await bitcoin.mine(1);
    await first.miner.tick();
    await bitcoin.mine(1);
    await first.miner.tick();
    await bitcoin.invalidate(paid);
    expect(await bitcoin.mempool()).toHaveLength(2);

    for (const actor of [first, first.reborn()]) {
      await actor.miner.tick();
      expect(actor.miner.status()).toMatchObject({ pending: 1, coins: 1, lastPublication: { keystoneNumber: 25, state: 'mempool' } });
    }
    expect(await bitcoin.mempool()).toHaveLength(2);
  });

  it('finds its coins anew when a reorg goes below the block of its start', async () => {
    const first = await openMiner(1);
    l2.make(25, await bitcoin.tip());
    await first.miner.tick();
    const [hash = ''] = await bitcoin.mine(3);
    const { miner } = first.reborn();
    await miner.tick();
    await bitcoin.invalidate(hash);
    await bitcoin.mineElsewhere(1);
    await miner.tick();
    expect(miner.status()).toMatchObject({ pending: 0, publishedCount: 0, coins: 1, lastPublication: { state: 'confirmed', confirmations: 1 } });
  });

  it('does not publish again when its transaction is mined just while it looks', async () => {
    let blockComes = false;
    const rpc: BitcoinRpc = async (method, params, signal) => {
      if (method === 'getrawmempool' && blockComes) {
        blockComes = false;
        await bitcoin.mine(1);
      }
      return bitcoin.rpc(method, params, signal);
    };
    const { miner } = await openMiner(2, { rpc });
    l2.make(25, await bitcoin.tip());
    await miner.tick();
    blockComes = true;
    await miner.tick();
    expect(await bitcoin.mempool()).toEqual([]);
    expect(miner.status()).toMatchObject({ pending: 0, publishedCount: 1, lastPublication: { state: 'confirmed', confirmations: 1 } });
  });

  it('still knows the blocks that matter when more were taken back than it kept to spare', async () => {
    const { miner } = await openMiner(1);
    const [named = ''] = (await bitcoin.mine(130)).slice(-1);
    await bitcoin.mine(130);
    await miner.tick();
    const [first = ''] = await bitcoin.mine(80);
    await miner.tick();
    await bitcoin.invalidate(first);
    l2.make(25, named);
    await miner.tick();
    expect(miner.status()).toMatchObject({ publishedCount: 1, pending: 1 });
  });

  it('is not misled by a reorg that comes just while it follows', async () => {
    let reorg: (() => Promise<unknown>) | undefined;
    const rpc: BitcoinRpc = async (method, params, signal) => {
      const tipHeight = (await bitcoin.rpc('getblockcount', [])) as number;
      const happen = method === 'getblockhash' && params[0] === tipHeight ? reorg : undefined;
      if (happen !== undefined) reorg = undefined;
      await happen?.();
      return bitcoin.rpc(method, params, signal);
    };
    const actor = await openMiner(2, { rpc });
    l2.make(25, await bitcoin.tip());
    await actor.miner.tick();
    const conflict = await spendOtherwise(actor, lastTxid(actor));
    const [holding = ''] = await bitcoin.mine(1);
    await actor.miner.tick();
    await bitcoin.mine(1);
    reorg = async () => {
      await bitcoin.invalidate(holding);
      await bitcoin.rpc('sendrawtransaction', [conflict]);
      await bitcoin.mineElsewhere(3);
    };
    await actor.miner.tick();
    expect(actor.miner.status()).toMatchObject({ pending: 1, publishedCount: 2, lastPublication: { state: 'mempool' } });
  });

  it('tries a keystone once a round, although its transaction vanishes at once', async () => {
    let sent = 0;
    const rpc: BitcoinRpc = async (method, params, signal) => {
      if (method === 'getrawmempool') return [];
      if (method === 'sendrawtransaction') sent += 1;
      if (sent > 1) throw new Error('sent twice in one round');
      return bitcoin.rpc(method, params, signal);
    };
    const { miner } = await openMiner(1, { rpc });
    l2.make(25, await bitcoin.tip());
    await miner.tick();
    expect(miner.status().publishedCount).toBe(1);
  });

  it('leaves a keystone alone that another miner has published, but not one that both are about to', async () => {
    const alice = await openMiner(1, { name: 'alice' });
    const bob = await openMiner(1, { name: 'bob' });
    const late = await openMiner(1, { name: 'late' });
    l2.make(25, await bitcoin.tip());
    await alice.miner.tick();
    await bob.miner.tick();
    const [hash = ''] = await bitcoin.mine(1);
    await late.miner.tick();

    const paid = publicationsIn(await bitcoin.block(hash), 1)
      .map(({ row }) => toDigits(row.miner))
      .sort();
    expect(paid).toEqual([alice, bob].map(({ wallet }) => toDigits(wallet.miner)).sort());
    expect(late.miner.status()).toMatchObject({ pending: 0, publishedCount: 0 });
    expect(late.miner.status().lastPublication).toBeUndefined();
    expect(await bitcoin.mempool()).toEqual([]);
  });

  it('waits while the fee rate is above its limit', async () => {
    const { miner } = await openMiner(1, { fees: { maxRate: 999n } });
    l2.make(25, await bitcoin.tip());
    await miner.tick();
    expect(miner.status()).toMatchObject({
      pending: 0,
      publishedCount: 0,
      trouble: "Bitcoin's fee rate is above the limit of 0.999 sats/vB: waiting for it to fall",
    });
    expect(await bitcoin.mempool()).toEqual([]);
  });

  it('says what the Bitcoin node has against a publication, and tries again', async () => {
    const stingy: BitcoinRpc = (method, params, signal) =>
      bitcoin.rpc(method, method === 'sendrawtransaction' ? [...params, '0.00000001'] : params, signal);
    const { miner } = await openMiner(1, { rpc: stingy });
    l2.make(25, await bitcoin.tip());
    for (let round = 0; round < 2; round += 1) {
      await miner.tick();
      expect(miner.status().trouble).toMatch(/^the Bitcoin node refused a publication: Fee exceeds maximum/);
    }
    expect(miner.status()).toMatchObject({ publishedCount: 0, pending: 0, queue: [{ keystone: 25, standing: 'due', reason: 'refused' }] });
  });

  it('pays what the node asks for at least, although a lower rate was set', async () => {
    const { miner } = await openMiner(1, { fees: { staticRate: 10n } });
    l2.make(25, await bitcoin.tip());
    await miner.tick();
    expect(miner.status()).toMatchObject({ publishedCount: 1, feeRate: 1000n, queue: [{ standing: 'pending', feeRate: 1000n }] });
  });

  it('says where to send bitcoin when it has none, and goes on when some has come', async () => {
    const { miner, wallet } = await openMiner(0);
    l2.make(25, await bitcoin.tip());
    await miner.tick();
    expect(miner.status()).toMatchObject({ balanceSats: 0n, coins: 0, trouble: `there is no bitcoin at ${wallet.address}: send some to it` });

    await bitcoin.give(wallet.address, COIN_SATS);
    await miner.tick();
    expect(miner.status().publishedCount).toBe(0);
    await bitcoin.mine(1);
    await miner.tick();
    expect(miner.status()).toMatchObject({ publishedCount: 1 });
    expect(miner.status().trouble).toBeUndefined();
  });

  it('spends what it mined itself after 100 confirmations, not earlier', async () => {
    const { miner, wallet, otherHands } = await openMiner(0);
    await otherHands.mine(1);
    await bitcoin.mine(98);
    l2.make(25, await bitcoin.tip());
    await miner.tick();
    expect(miner.status()).toMatchObject({
      coins: 1,
      spendableSats: 0n,
      trouble: `the bitcoin at ${wallet.address} must wait for blocks before it can be spent`,
    });
    await bitcoin.mine(1);
    await miner.tick();
    expect(miner.status()).toMatchObject({ publishedCount: 1, pending: 1 });
  });

  it('publishes a keystone that names a block 143 below the tip, not one 144 below', async () => {
    const { miner } = await openMiner(1);
    l2.make(25, await bitcoin.tip());
    const [named = ''] = await bitcoin.mine(1);
    l2.make(50, named);
    await bitcoin.mine(143);
    await miner.tick();
    expect(miner.status()).toMatchObject({ publishedCount: 1, lastPublication: { keystoneNumber: 50 } });
  });

  it('does not publish a keystone that names an orphaned block, until that block is back', async () => {
    const { miner } = await openMiner(1);
    await miner.tick();
    const [orphan = ''] = await bitcoin.mine(1);
    l2.make(25, orphan);
    await bitcoin.invalidate(orphan);
    const [rival = ''] = await bitcoin.mineElsewhere(2);
    await miner.tick();
    expect(miner.status()).toMatchObject({ publishedCount: 0, pending: 0 });

    await bitcoin.invalidate(rival);
    await bitcoin.rpc('reconsiderblock', [orphan]);
    await miner.tick();
    expect(miner.status()).toMatchObject({ publishedCount: 1, pending: 1 });
  });

  it('publishes a keystone whose only publication pays nobody', async () => {
    const { miner } = await openMiner(1);
    await bitcoin.faucet.mine(1, 'p2tr');
    await bitcoin.mine(100);
    const script = encodePopScript(abbreviate(l2.make(25, await bitcoin.tip())));
    // A taproot input does not show its key in a form that is rewarded.
    await bitcoin.faucet.pay({ outputs: [{ to: script, valueSats: 0n }], from: 'p2tr' });
    const [hash = ''] = await bitcoin.mine(1);
    expect(publicationsIn(await bitcoin.block(hash), 1)).toHaveLength(1);
    await miner.tick();
    expect(miner.status()).toMatchObject({ publishedCount: 1, pending: 1 });
  });

  it('stops chaining unconfirmed change after 20 transactions, and goes on with the next block', async () => {
    const actor = await openMiner(1);
    const named = await bitcoin.tip();
    for (let number = 25; number <= 25 * 25; number += 25) {
      l2.make(number, named);
      await actor.miner.tick();
    }
    expect(await bitcoin.mempool()).toHaveLength(20);
    expect(actor.miner.status().trouble).toMatch(/must wait for blocks/);
    await bitcoin.mine(1);
    await actor.miner.tick();
    expect(actor.miner.status()).toMatchObject({ publishedCount: 25, pending: 5 });
    expect(actor.miner.status().trouble).toBeUndefined();
  });

  it('refuses a Bitcoin node on another network', async () => {
    const { miner } = createMinerActor({ rpc: bitcoin.rpc, keystones: l2, network: 'signet' });
    await expect(miner.start(new AbortController().signal)).rejects.toMatchObject({ code: 'bitcoin/wrong-network' });
  });
});
