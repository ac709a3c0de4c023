import type { IndexedBlock } from '@hemid/bitcoin';
import { hashKeystone, toDisplay } from '@hemid/protocol';
import { layout, openMemoryStore } from '@hemid/store';
import { checkFollower, createTestNetwork, publishKeystone, type TestNetwork } from '@hemid/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { anchorFollower } from '../src/index.ts';

let network: TestNetwork;
let id: Uint8Array;
/** Txids of the publications of {@link id}. */
const published: string[] = [];
/** Bitcoin blocks from the hVM genesis on: one publication, none, two of two keystones, two of one. */
const blocks: IndexedBlock[] = [];

beforeAll(async () => {
  network = await createTestNetwork();
  const { bitcoin, sequencer } = network;
  const { chain, headers, blocks: bodies } = sequencer.node;
  await sequencer.build(5);
  const keystone = chain.keystone(chain.head('latest'));
  id = hashKeystone(keystone);
  published.push(await publishKeystone(bitcoin.wallet, keystone));
  await bitcoin.mineBlocks(2);
  published.push(await publishKeystone(bitcoin.wallet, keystone));
  await publishKeystone(bitcoin.wallet, { ...keystone, l1BlockNumber: 7 });
  await bitcoin.mineBlocks(1);
  published.push(await publishKeystone(bitcoin.wallet, keystone));
  published.push(await publishKeystone(bitcoin.wallet, keystone));
  await bitcoin.mineBlocks(1);
  await sequencer.look();
  const tip = headers.best();
  for (let height = headers.genesis.height + 1; height <= tip.height; height += 1) {
    const hash = headers.ancestor(tip.hash, height)?.hash as Uint8Array;
    blocks.push({ block: bodies.get(hash), height });
  }
});
afterAll(() => network.close());

test('anchors are taken back with their blocks, to the bytes that were there before', async () => {
  expect(blocks).toHaveLength(4);
  await checkFollower({ follower: anchorFollower, blocks, store: await openMemoryStore() });
});

test('each publication is an anchor under its keystone, in Bitcoin order, with its miner', async () => {
  const store = await openMemoryStore();
  const batch = store.batch();
  for (const block of blocks) anchorFollower.apply(block, batch);
  await batch.commit();
  const found: string[] = [];
  for await (const [key, row] of store.range(layout.anchor, { prefix: id })) {
    found.push(`${key.height} ${key.txIndex} ${key.vout} ${toDisplay(row.txid)}`);
    expect(row.miner).toHaveLength(20);
  }
  const expected = blocks.flatMap(({ block, height }) =>
    block.transactions.flatMap(({ txid }, i) => (published.includes(toDisplay(txid)) ? [`${height} ${i} 0 ${toDisplay(txid)}`] : [])),
  );
  expect(expected).toHaveLength(4);
  expect(found).toEqual(expected);
});
