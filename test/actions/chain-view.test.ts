import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBlockStore, createHeaderReader } from '@hemid/bitcoin';
import { type ChainView, createChainViews } from '@hemid/chain';
import { wrappedHbtc } from '@hemid/contracts';
import { fromHex, type Hex, hashTransaction, toHex } from '@hemid/protocol';
import { openStore, openStoreReader, type StoreReader } from '@hemid/store';
import { createTestNetwork, createUser, type TestNetwork } from '@hemid/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';

let directory: string;
let network: TestNetwork;
let reader: StoreReader;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hemid-view-'));
  network = await createTestNetwork({ store: await openStore(directory, { threads: 'several' }) });
  reader = await openStoreReader(directory);
});
afterEach(async () => {
  await reader.close();
  await network.close();
  rmSync(directory, { recursive: true });
});

/** Opens views as another thread does: with nothing of the node but its database. */
function createViews() {
  const headers = createHeaderReader(reader, network.spec);
  const views = createChainViews({ spec: network.spec, headers, blocks: createBlockStore(reader), stateWindow: undefined });
  const genesis = network.sequencer.node.chain.head('earliest').hash;
  return async (labels = { safe: genesis, finalized: genesis }) => {
    const snapshot = reader.snapshot();
    headers.follow();
    return { view: await views.open(snapshot, labels), close: snapshot.close };
  };
}

interface Sight {
  token: Hex;
  user: Hex;
  /** Done while a block is replayed. */
  meanwhile?: () => Promise<void>;
}

/** What a view shows of its two latest blocks, of accounts, of logs and of Bitcoin. */
async function look(view: ChainView, { token, user, meanwhile }: Sight) {
  const head = view.head('latest');
  const { number } = head.header;
  const previous = view.headerAt(number - 1n) ?? head;
  const replayed: object[] = [];
  await view.replay(previous, {
    async watch({ from }) {
      if (replayed.length === 0) await meanwhile?.();
      return { observer: {}, done: ({ gasUsed, output, logs }) => void replayed.push({ from, gasUsed, output, logs }) };
    },
  });
  const raws = view.block(head.hash)?.block.transactions ?? [];
  const blocks = view.logBlocks({ addresses: [fromHex(token)], topics: [] }, { from: 0n, to: number });
  const bitcoin = view.viewAt(head);
  const lastHeader = { from: fromHex(user), to: fromHex(`0x${'44'.padStart(40, '0')}`), data: new Uint8Array(), value: 0n };
  return {
    head: toHex(head.hash),
    isCanonical: view.isCanonical(head),
    next: view.headerAt(number + 1n),
    ancestor: toHex(view.ancestorOf(head, 1n).hash),
    replayed,
    places: raws.map((raw) => view.transaction(hashTransaction(raw))),
    receipts: view.receipts(head.hash),
    logBlocks: blocks.map(({ hash }) => toHex(hash)),
    accounts: await Promise.all([head, previous].map((block) => view.stateAt(block).account(fromHex(user)))),
    bitcoin: { tip: bitcoin.indexTip, balance: await bitcoin.balance(network.bitcoin.wallet.scripts.p2wpkh) },
    called: await view.simulate(head, { ...lastHeader, gas: undefined, gasPrice: undefined }),
  };
}

test('a view shows the chain as it was when it was cut, whatever the chain and Bitcoin do in the middle of a replay', async () => {
  const { node } = network.sequencer;
  const user = createUser(node, 0);
  const token = await user.deploy(wrappedHbtc);
  const pay = async (value: bigint): Promise<void> => {
    await user.send({ to: token, value });
    await network.bitcoin.mineBlocks(1);
    await network.sequencer.build();
  };
  for (const value of [1n, 2n, 3n]) await pay(value);
  const sight = { token, user: user.address };
  const before = await look(node.chain, sight);
  expect(before.logBlocks).toHaveLength(3);
  expect(before.replayed).toHaveLength(2);

  const open = createViews();
  const old = await open();
  const seen = await look(old.view, {
    ...sight,
    async meanwhile() {
      await node.chain.rollback(2n);
      await network.bitcoin.reorg(3);
      await pay(40n);
      await network.sequencer.build(3);
    },
  });
  expect(seen).toEqual(before);
  const fresh = await open();
  const after = await look(fresh.view, sight);
  expect(after).toEqual(await look(node.chain, sight));
  expect(after.bitcoin).not.toEqual(before.bitcoin);
  expect(after.logBlocks).toHaveLength(2);
  expect(await look(old.view, sight)).toEqual(before);
  await old.close();
  await fresh.close();
});

test('a view names the labelled blocks as it is told, and the genesis for those that it does not have', async () => {
  const { chain } = network.sequencer.node;
  await network.sequencer.build(3);
  const safe = chain.headerAt(2n)?.hash as Uint8Array;
  const { view, close } = await createViews()({ safe, finalized: new Uint8Array(32) });
  expect(view.head('safe').header.number).toBe(2n);
  expect(view.head('finalized')).toEqual(chain.head('earliest'));
  expect(view.head('earliest')).toEqual(chain.head('earliest'));
  await close();
});
