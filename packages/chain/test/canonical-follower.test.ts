import { HISTORY_ADDRESS, hashKeystone, historySlot, PAYOUT_TYPE, type SealedBlock, toHex } from '@hemid/protocol';
import { layout, openMemoryStore } from '@hemid/store';
import { checkFollower, createTestNetwork, createUser, publishKeystone, type TestNetwork } from '@hemid/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  canonicalNumbers,
  createHistoryProofs,
  createKeystoneIndex,
  type HistoryProof,
  isKeystone,
  type PlacedL2Header,
  transactionIndex,
} from '../src/index.ts';

let network: TestNetwork;
/** Twelve blocks of a real network: runs of headers, user transactions, keystones, a payout. */
const blocks: SealedBlock[] = [];

beforeAll(async () => {
  network = await createTestNetwork();
  const { bitcoin, sequencer } = network;
  const { chain } = sequencer.node;
  const users = [0, 1, 2].map((index) => createUser(sequencer.node, index));
  for (let i = 1; i <= 12; i += 1) {
    for (const user of users.slice(0, i % 4)) await user.send({ to: user.address, value: BigInt(i) });
    await bitcoin.mineBlocks(i % 3);
    blocks.push(await sequencer.build());
    if (i === 5) await publishKeystone(bitcoin.wallet, chain.keystone(chain.head('latest')));
    if (i === 9) await bitcoin.mineBlocks(10);
  }
});
afterAll(() => network.close());

const keystoneIndex = () => {
  const { chain, headers } = network.sequencer.node;
  return createKeystoneIndex(network.spec, headers, chain.ancestorOf);
};

test('the story has what the followers follow', () => {
  const kinds = blocks.flatMap(({ block }) => block.transactions.map((raw) => raw[0]));
  expect(kinds.filter((kind) => kind === 0x02).length).toBeGreaterThan(10);
  expect(kinds).toContain(PAYOUT_TYPE);
  expect(blocks.filter(({ block }) => isKeystone(network.spec, block.header.number))).toHaveLength(2);
});

for (const [name, follower] of [
  ['canonical numbers', () => canonicalNumbers],
  ['transactions', () => transactionIndex],
  ['keystones', keystoneIndex],
  ['history proofs', () => createHistoryProofs(network.spec)],
] as const) {
  test(`the follower of ${name} leaves the bytes as they were when its blocks are taken back`, async () => {
    await checkFollower({ follower: follower(), blocks, store: await openMemoryStore(), seed: 5 });
  });
}

test('the keystone index finds each keystone block by the hash of its abbreviation, and nothing else', async () => {
  const store = await openMemoryStore();
  const batch = store.batch();
  for (const block of blocks) keystoneIndex().apply(block, batch);
  await batch.commit();
  const rows: [string, string][] = [];
  for await (const [key, row] of store.range(layout.keystone)) rows.push([toHex(key), `${row.number} ${toHex(row.blockHash)}`]);
  const { chain } = network.sequencer.node;
  const expected = [blocks[4], blocks[9]].map((sealed) => {
    const { block, hash } = sealed as SealedBlock;
    return [toHex(hashKeystone(chain.keystone({ header: block.header, hash }))), `${block.header.number} ${toHex(hash)}`];
  });
  expect(rows.sort()).toEqual(expected.sort());
});

test('what is kept of a keystone block is what its state proves, and goes when the block goes', async () => {
  const { chain } = network.sequencer.node;
  for (const [number, slots] of [
    [5n, [4n]],
    [10n, [9n, 5n]],
  ] as const) {
    const { accountProof, storageProof } = await chain
      .stateAt(chain.headerAt(number) as PlacedL2Header)
      .proof(HISTORY_ADDRESS, slots.map(historySlot));
    const { account, parent, previous } = chain.historyProof(number) as HistoryProof;
    expect(account.map(toHex)).toEqual(accountProof);
    expect([parent, previous].filter((nodes) => nodes !== undefined).map((nodes) => nodes.map(toHex))).toEqual(
      storageProof.map(({ proof }) => proof),
    );
    expect(accountProof.length * storageProof.length).toBeGreaterThan(0);
  }
  expect(chain.historyProof(11n)).toBeUndefined();
  await chain.rollback(3n);
  expect(chain.historyProof(10n)).toBeUndefined();
  expect(chain.historyProof(5n)).toBeDefined();
});
