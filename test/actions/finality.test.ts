import { isKeystone } from '@hemid/chain';
import { createRpcDeps } from '@hemid/node';
import {
  abbreviate,
  addressOfKey,
  decodePayout,
  decodeSystemTransaction,
  encodePopScript,
  fromDisplay,
  hashKeystone,
  PAYOUT_TYPE,
  POP_REWARD_ADDRESS,
  paidSlot,
  toHex,
  toKeystoneId,
} from '@hemid/protocol';
import { createLimits, createRpcContext, invoke, type Start } from '@hemid/rpc';
import { silentLogger } from '@hemid/runtime';
import { createTestNetwork, publishKeystone, spendOtherwise, type TestNetwork } from '@hemid/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';

let network: TestNetwork;
beforeEach(async () => {
  network = await createTestNetwork();
});
afterEach(() => network.close());

/** Builds up to the next keystone and gives it. */
async function buildKeystone(): Promise<{ number: bigint; keystone: ReturnType<TestNetwork['sequencer']['node']['chain']['keystone']> }> {
  const { chain } = network.sequencer.node;
  do await network.sequencer.build();
  while (!isKeystone(network.spec, chain.head('latest').header.number));
  const head = chain.head('latest');
  return { number: head.header.number, keystone: chain.keystone(head) };
}

test('a published keystone makes blocks safe after one block and finalized after ten, and pays its miner', async () => {
  const { bitcoin, sequencer } = network;
  const { chain } = sequencer.node;
  await bitcoin.mineBlocks(1);
  const { number, keystone } = await buildKeystone();
  expect(number).toBe(5n);
  await publishKeystone(bitcoin.wallet, keystone);
  await bitcoin.mineBlocks(1);
  await sequencer.look();
  expect(chain.head('safe').header.number).toBe(0n);
  await bitcoin.mineBlocks(1);
  await sequencer.look();
  expect(chain.head('safe').header.number).toBe(4n);
  expect(chain.head('finalized').header.number).toBe(0n);
  await bitcoin.mineBlocks(8);
  await sequencer.look();
  expect(chain.head('finalized').header.number).toBe(0n);
  await bitcoin.mineBlocks(1);
  await sequencer.look();
  expect(chain.head('finalized').header.number).toBe(4n);

  const next = await buildKeystone();
  const block = chain.block(chain.head('latest').hash);
  const payouts = (block?.block.transactions ?? []).filter((raw) => raw[0] === PAYOUT_TYPE);
  expect(next.number).toBe(10n);
  expect(payouts).toHaveLength(1);
  const payout = decodePayout(decodeSystemTransaction(payouts[0] as Uint8Array).data);
  expect(payout.blockRewarded).toBe(5n);
  expect(payout.miners.map(toHex)).toEqual([toHex(addressOfKey(bitcoin.wallet.publicKey) as Uint8Array)]);
  expect(payout.amounts).toEqual([network.spec.genesis.popPool]);
  const state = chain.stateAt(chain.head('latest'));
  expect((await state.storage(POP_REWARD_ADDRESS, paidSlot(5n)))[31]).toBe(1);

  await buildKeystone();
  const later = chain.block(chain.head('latest').hash)?.block.transactions ?? [];
  expect(later.filter((raw) => raw[0] === PAYOUT_TYPE)).toHaveLength(0);
  const verifier = await network.createVerifier();
  await verifier.sync();
  expect(toHex(verifier.node.chain.head('latest').hash)).toBe(toHex(chain.head('latest').hash));
  expect(verifier.node.chain.head('finalized').header.number).toBe(4n);
});

test('finality falls when a Bitcoin reorg drops the publication, and returns with it', async () => {
  const { bitcoin, sequencer } = network;
  const { chain } = sequencer.node;
  await bitcoin.mineBlocks(1);
  const { keystone } = await buildKeystone();
  const { txid, tx } = await bitcoin.wallet.pay({ outputs: [{ to: encodePopScript(abbreviate(keystone)), valueSats: 0n }] });
  await bitcoin.mineBlocks(3);
  await sequencer.look();
  expect(chain.head('safe').header.number).toBe(4n);
  const published = sequencer.node.finality.published()[0];
  expect(published?.confirmations).toBe(2);
  expect(published?.publication.txid).toEqual(fromDisplay(txid));

  const first = await bitcoin.rpc('getblockhash', [(await bitcoin.height()) - 2]);
  await bitcoin.rpc('invalidateblock', [first]);
  expect(await bitcoin.rpc('getrawmempool', [])).toEqual([txid]);
  // Its input is spent otherwise on the new branch.
  await spendOtherwise(bitcoin.rpc, bitcoin.wallet, tx);
  await bitcoin.mineBlocks(4);
  await sequencer.look();
  expect(chain.head('safe').header.number).toBe(0n);
  expect(sequencer.node.finality.published()).toHaveLength(0);

  await publishKeystone(bitcoin.wallet, keystone);
  await bitcoin.mineBlocks(2);
  await sequencer.look();
  expect(chain.head('safe').header.number).toBe(4n);
});

test('a publication that does not descend from the tip its keystone names does not count', async () => {
  const { bitcoin, sequencer } = network;
  const { chain } = sequencer.node;
  await bitcoin.mineBlocks(2);
  const { keystone } = await buildKeystone();
  // The tip that the keystone names is reorganised away: the publication stands on another branch of Bitcoin.
  await bitcoin.reorg(1);
  await publishKeystone(bitcoin.wallet, keystone);
  await bitcoin.mineBlocks(3);
  await sequencer.look();
  expect(chain.head('safe').header.number).toBe(0n);
  expect(sequencer.node.finality.published()).toHaveLength(0);
});

test('a client asks how deep a block stands in Bitcoin: by number, tag and hash, in our form and in that of the public network', async () => {
  const { bitcoin, sequencer } = network;
  const { chain } = sequencer.node;
  const context = createRpcContext(
    createRpcDeps(sequencer.node, { clock: network.clock, log: silentLogger }),
    createLimits({ rpcCheckAnswers: true }),
  );
  const ask = (block: unknown): Promise<unknown> => invoke('hemi_getFinality', [block], context);
  const askPublic = (hash: string): Promise<unknown> => invoke('optimism_btcFinalityByBlockHash', [hash], context);
  await bitcoin.mineBlocks(1);
  await sequencer.build();
  const third = toHex(chain.head('latest').hash);
  expect(await ask('latest')).toMatchObject({ block: { number: '0x1', hash: third }, status: 'unpublished', confirmations: null, keystone: null });
  await expect(askPublic(third)).rejects.toMatchObject({ code: 'rpc/not-found', message: /not built yet/ });

  const { keystone } = await buildKeystone();
  const fifth = toHex(chain.head('latest').hash);
  expect(await ask(third)).toMatchObject({ status: 'unpublished', keystone: { number: '0x5', hash: fifth }, publication: null });
  await expect(askPublic(third)).rejects.toMatchObject({ code: 'rpc/not-found', message: /published in Bitcoin yet/ });

  const { txid } = await bitcoin.wallet.pay({ outputs: [{ to: encodePopScript(abbreviate(keystone)), valueSats: 0n }] });
  await bitcoin.mineBlocks(1);
  const height = await bitcoin.height();
  const blockHash = (await bitcoin.rpc('getblockhash', [height])) as string;
  await sequencer.look();
  expect(await ask('0x1')).toMatchObject({ status: 'published', confirmations: 0, bitcoinTip: { height, hash: blockHash } });
  await bitcoin.mineBlocks(1);
  await sequencer.look();
  // The keystone itself is as deep as the blocks below it; a block above it waits for the next one.
  await sequencer.build();
  const sixth = toHex(chain.head('latest').hash);
  expect(await ask(fifth)).toEqual({
    block: { number: '0x5', hash: fifth },
    status: 'safe',
    confirmations: 1,
    thresholds: { super: 10, ultra: 20 },
    keystone: { number: '0x5', hash: fifth },
    publication: {
      keystone: { number: '0x5', hash: fifth },
      confirmations: 1,
      bitcoinHeight: height,
      bitcoinBlockHash: blockHash,
      bitcoinTxid: txid,
      transactionIndex: 1,
      outputIndex: expect.any(Number),
      miner: toHex(addressOfKey(bitcoin.wallet.publicKey) as Uint8Array),
    },
    bitcoinTip: { height: height + 1, hash: await bitcoin.rpc('getblockhash', [height + 1]) },
  });
  expect(await ask(sixth)).toMatchObject({ status: 'unpublished', keystone: null });

  await bitcoin.mineBlocks(9);
  await sequencer.look();
  expect(await ask('earliest')).toMatchObject({ status: 'super', confirmations: 10, keystone: { number: '0x5' } });
  expect(await ask('finalized')).toMatchObject({ block: { number: '0x4' }, status: 'super' });
  expect(await askPublic(third)).toEqual({
    l2_keystone: expect.objectContaining({ l2_block_number: 5, ep_hash: fifth.slice(2) }),
    block_hash: Buffer.from(blockHash, 'hex').reverse().toString('hex'),
    block_height: height,
    effective_confirmations: 10,
    super_finality: true,
  });
  await bitcoin.mineBlocks(10);
  await sequencer.look();
  expect(await ask('0x5')).toMatchObject({ status: 'ultra', confirmations: 20 });
  await expect(ask(`0x${'ab'.repeat(32)}`)).rejects.toMatchObject({ code: 'rpc/not-found' });
  await expect(ask('yesterday')).rejects.toMatchObject({ code: 'rpc/invalid-params' });
  context.close();
});

test('an old block has the confirmations of the deepest keystone above it, long after any label moved by it', async () => {
  const { bitcoin, sequencer } = network;
  const context = createRpcContext(
    createRpcDeps(sequencer.node, { clock: network.clock, log: silentLogger }),
    createLimits({ rpcCheckAnswers: true }),
  );
  const ask = async (block: string) => (await invoke('hemi_getFinality', [block], context)) as { confirmations: number; publication: object };
  await bitcoin.mineBlocks(1);
  // Of keystones 5, 10, 15 and 20 the first is never published, and the third before the second.
  const [, second, third, fourth] = [await buildKeystone(), await buildKeystone(), await buildKeystone(), await buildKeystone()];
  for (const one of [third, second, fourth]) {
    await publishKeystone(bitcoin.wallet, (one as { keystone: Parameters<typeof publishKeystone>[1] }).keystone);
    await bitcoin.mineBlocks(3);
  }
  const depth = network.spec.genesis.finality.ultra * 2;
  await bitcoin.mineBlocks(depth);
  await sequencer.look();
  await bitcoin.mineBlocks(20);
  await sequencer.look();
  expect(sequencer.node.finality.published().map(({ keystone }) => keystone.header.number)).toEqual([20n]);
  const deepest = depth + 20 + 8;
  for (const block of ['0x1', '0x5', '0x6', '0xa', '0xf']) {
    expect(await ask(block), block).toMatchObject({ confirmations: deepest, publication: { keystone: { number: '0xf' } } });
  }
  expect(await ask('0x10')).toMatchObject({ confirmations: deepest - 6, publication: { keystone: { number: '0x14' } } });
  context.close();
});

test('who subscribes is told of the heads when labels move, both ways, and of what blocks pay', async () => {
  const { bitcoin, sequencer } = network;
  const { chain } = sequencer.node;
  const context = createRpcContext(
    createRpcDeps(sequencer.node, { clock: network.clock, log: silentLogger }),
    createLimits({ rpcCheckAnswers: true }),
  );
  type Note = Record<'safe' | 'finalized', { number: bigint; publication: object | null }> & { payees: object[]; removed: boolean };
  async function subscribe(kind: string): Promise<Note[]> {
    const notes: Note[] = [];
    const open = (_: string, start: Start): string => {
      start((note) => void notes.push(note as Note));
      return '0x1';
    };
    await invoke('hemi_subscribe', [kind], { ...context, session: { open, close: () => false } });
    return notes;
  }
  const heads = await subscribe('finality');
  const payouts = await subscribe('payouts');
  await bitcoin.mineBlocks(1);
  const { keystone } = await buildKeystone();
  const { txid, tx } = await bitcoin.wallet.pay({ outputs: [{ to: encodePopScript(abbreviate(keystone)), valueSats: 0n }] });
  await bitcoin.mineBlocks(1);
  await sequencer.look();
  await sequencer.build();
  expect(heads).toEqual([]);
  await bitcoin.mineBlocks(1);
  await sequencer.look();
  expect(heads).toMatchObject([
    { safe: { number: 4n, publication: { bitcoinTxid: txid, confirmations: 1 } }, finalized: { number: 0n, publication: null } },
  ]);
  await bitcoin.mineBlocks(9);
  await sequencer.look();
  expect(heads[1]).toMatchObject({
    safe: { number: 4n },
    finalized: { number: 4n, publication: { confirmations: 10 } },
    thresholds: { safe: 1, finalized: 10 },
  });
  expect(await invoke('hemi_getHeads', [], context)).toMatchObject({ latest: { number: '0x6' }, finalized: { number: '0x4' } });
  await buildKeystone();
  const payees = [{ miner: addressOfKey(bitcoin.wallet.publicKey), amount: network.spec.genesis.popPool }];
  expect(payouts).toMatchObject([{ keystone: { number: 5n, hash: keystone.blockHash }, block: { number: 10n }, payees, removed: false }]);

  const first = await bitcoin.rpc('getblockhash', [(await bitcoin.height()) - 10]);
  await bitcoin.rpc('invalidateblock', [first]);
  await spendOtherwise(bitcoin.rpc, bitcoin.wallet, tx);
  await bitcoin.mineBlocks(12);
  await sequencer.look();
  expect(heads.slice(2)).toMatchObject([{ safe: { number: 0n, publication: null }, finalized: { number: 0n, publication: null } }]);
  expect(chain.head('finalized').header.number).toBe(0n);
  context.close();
});

test('a miner asks what becomes of its reward, from the publication to the payout', async () => {
  const { bitcoin, sequencer } = network;
  const context = createRpcContext(
    createRpcDeps(sequencer.node, { clock: network.clock, log: silentLogger }),
    createLimits({ rpcCheckAnswers: true }),
  );
  const ask = (keystone: string): Promise<unknown> => invoke('hemi_getPopPayouts', [keystone], context);
  const miner = toHex(addressOfKey(bitcoin.wallet.publicKey) as Uint8Array);
  const pool = `0x${network.spec.genesis.popPool.toString(16)}`;
  await bitcoin.mineBlocks(1);
  const { keystone } = await buildKeystone();
  const id = toKeystoneId(hashKeystone(keystone));
  expect(await ask('0x5')).toMatchObject({ keystone: { number: '0x5', id }, status: 'unpublished', window: null, payees: [], pool });
  await expect(ask('0x6')).rejects.toMatchObject({ code: 'rpc/not-found', message: /is not a keystone/ });
  await expect(ask('0xa')).rejects.toMatchObject({ code: 'rpc/not-found', message: /not built yet/ });

  await publishKeystone(bitcoin.wallet, keystone);
  await bitcoin.mineBlocks(1);
  const opened = await bitcoin.height();
  await bitcoin.mineBlocks(network.spec.genesis.bitcoin.indexLag + 1);
  await sequencer.build();
  expect(await ask(id)).toEqual({
    keystone: { number: '0x5', hash: toHex(keystone.blockHash), id },
    status: 'open',
    explanation: expect.stringMatching(
      new RegExp(`^published at ${opened}, window closes in 7 Bitcoin blocks, due about \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC$`),
    ),
    pool,
    window: { opened, closes: opened + 8 },
    bitcoinHeight: opened + 1,
    payees: [{ miner, score: '0x186a0', amount: pool, bitcoinHeight: opened, bitcoinTxid: expect.stringMatching(/^[0-9a-f]{64}$/) }],
  });
  const askMiner = (who: string): Promise<unknown> => invoke('hemi_getPopMiner', [who], context);
  const publication = { keystone: { number: '0x5', id }, status: 'open', score: '0x186a0', amount: pool, bitcoinHeight: opened };
  expect(await askMiner(miner)).toMatchObject({ miner, paid: '0x0', pending: pool, publications: [publication] });
  expect(await askMiner(`0x${'ee'.repeat(20)}`)).toMatchObject({ paid: '0x0', pending: '0x0', publications: [] });
  await bitcoin.mineBlocks(7);
  await sequencer.build();
  expect(await ask(id)).toMatchObject({ status: 'due', explanation: expect.stringMatching(/window closed at \d+, due in the next keystone block/) });
  await buildKeystone();
  expect(await ask(id)).toMatchObject({ status: 'paid', payees: [{ miner, amount: pool }] });
  expect(await askMiner(miner)).toMatchObject({ paid: pool, pending: '0x0', publications: [{ ...publication, status: 'paid' }] });
  context.close();
});
