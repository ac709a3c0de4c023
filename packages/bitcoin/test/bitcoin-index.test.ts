import { type BitcoinInput, type BitcoinOutput, type BitcoinTransaction, encodePopScript, type Hex, toHex } from '@hemid/protocol';
import { layout, openMemoryStore, type Store, UNSPENT } from '@hemid/store';
import { checkFollower, createSeededRandom } from '@hemid/testkit';
import { beforeEach, expect, test } from 'vitest';
import { bitcoinIndex, hashScript, type IndexedBlock } from '../src/index.ts';
import { listUnspent } from '../src/unspent-tree.ts';

let store: Store;
beforeEach(async () => {
  store = await openMemoryStore();
});

const bytes = (...all: number[]): Uint8Array => Uint8Array.from(all);
/** A txid or block hash that shows where it comes from. */
const id = (height: number, n: number): Uint8Array => new Uint8Array(32).fill(0xee).map((byte, i) => (i === 30 ? height : i === 31 ? n : byte));
const script = (n: number): Uint8Array => bytes(0, 20, ...new Uint8Array(20).fill(n));
const pays = (n: number, valueSats = 1_000n): BitcoinOutput => ({ script: script(n), valueSats });
const spends = (txid: Uint8Array, vout = 0): BitcoinInput => ({ txid, vout, scriptSig: new Uint8Array(), sequence: 0, witness: [] });
const keystone = {
  version: 1,
  l1BlockNumber: 1,
  l2BlockNumber: 5,
  parentHash: new Uint8Array(11),
  previousKeystoneHash: new Uint8Array(12),
  stateRoot: new Uint8Array(32),
  blockHash: new Uint8Array(12),
};
const publication: BitcoinOutput = { script: encodePopScript(keystone as Parameters<typeof encodePopScript>[0]), valueSats: 0n };

type Payment = [inputs: BitcoinInput[], outputs: BitcoinOutput[]];

/** A block whose coinbase pays script 0 and carries a commitment, then `payments`; transaction n has {@link id}(height, n). */
function blockOf(height: number, payments: Payment[], reward: BitcoinOutput[] = [pays(0, 5_000n)]): IndexedBlock {
  const common = { version: 2, locktime: 0 };
  const coinbase = { ...common, txid: id(height, 0), isCoinbase: true, inputs: [spends(new Uint8Array(32), 0xffffffff)], outputs: reward };
  const others = payments.map(
    ([inputs, outputs], i): BitcoinTransaction => ({ ...common, txid: id(height, i + 1), isCoinbase: false, inputs, outputs }),
  );
  return { block: { hash: id(height, 0xff), header: new Uint8Array(80), transactions: [coinbase, ...others] }, height };
}

async function apply(...blocks: IndexedBlock[]): Promise<void> {
  const batch = store.batch();
  for (const block of blocks) bitcoinIndex.apply(block, batch);
  await batch.commit();
}

/** The unspent outputs of a script: txid and satoshis. */
function unspentOf(n: number): [Hex, bigint][] {
  const row = store.get(layout.script, hashScript(script(n)));
  if (row === undefined) return [];
  const listed = listUnspent(store, { scriptHash: hashScript(script(n)), row }, { skip: 0, limit: 1000 });
  expect(row.balanceSats).toBe(listed.reduce((sum, { valueSats }) => sum + valueSats, 0n));
  return listed.map(({ txid, valueSats }) => [toHex(txid), valueSats]);
}

const story: IndexedBlock[] = [
  blockOf(1, []),
  // Made and spent in one block, twice in a row, and what is left of it.
  blockOf(2, [
    [[spends(id(1, 0))], [pays(1), pays(2)]],
    [[spends(id(2, 1), 0)], [pays(3)]],
    [[spends(id(2, 2)), spends(id(2, 1), 1)], [pays(1)]],
  ]),
  // From before the hVM genesis: an input that nobody knows.
  blockOf(3, [[[spends(new Uint8Array(32).fill(9), 7)], [pays(4), { script: bytes(0x6a, 1, 7), valueSats: 0n }]]]),
  // Spends of older outputs, a publication, an output of no value with a publication and trailing bytes.
  blockOf(4, [
    [
      [spends(id(3, 1)), spends(id(2, 3))],
      [pays(5), publication],
    ],
    [[spends(id(2, 0))], [{ script: new Uint8Array([...publication.script, 0xff]), valueSats: 0n }, publication, pays(5)]],
  ]),
  blockOf(5, [
    [
      [spends(id(4, 1))],
      [
        { script: new Uint8Array(10_001).fill(0x51), valueSats: 1n },
        { script: new Uint8Array(10_000).fill(0x51), valueSats: 2n },
      ],
    ],
  ]),
  blockOf(6, [], [pays(0, 5_000n), publication]),
];

test('a chain with every kind of spend is reverted to the bytes that were there before, at every block', async () => {
  await checkFollower({ follower: bitcoinIndex, blocks: story, store });
});

/** A chain of random payments among `scripts` scripts, each with at most so many inputs and outputs. */
function randomChain(seed: number, { scripts, most }: { scripts: number; most: number }): IndexedBlock[] {
  const random = createSeededRandom(seed);
  const coins: [Uint8Array, number][] = [];
  return Array.from({ length: 12 }, (_, i) => {
    const payments = Array.from({ length: random.between(0, 5) }, (_, n): Payment => {
      const inputs = Array.from({ length: random.between(1, most) }, () => {
        const [coin] = random.next() < 0.8 ? coins.splice(random.between(0, Math.max(0, coins.length - 1)), 1) : [];
        return coin === undefined ? spends(new Uint8Array(32).fill(random.between(0, 255))) : spends(...coin);
      });
      const outputs = Array.from({ length: random.between(1, 2 * most) }, () =>
        random.next() < 0.1 ? publication : pays(random.between(0, scripts - 1)),
      );
      for (const [vout, output] of outputs.entries()) if (output !== publication) coins.push([id(i + 1, n + 1), vout]);
      return [inputs, outputs];
    });
    coins.push([id(i + 1, 0), 0]);
    return blockOf(i + 1, payments);
  });
}

test('random chains are reverted to the bytes that were there before: of many scripts, and of one with many outputs', async () => {
  for (const seed of [1, 2, 3]) {
    await checkFollower({ follower: bitcoinIndex, blocks: randomChain(seed, { scripts: 6, most: 3 }), store: await openMemoryStore(), seed });
  }
  await checkFollower({ follower: bitcoinIndex, blocks: randomChain(4, { scripts: 1, most: 30 }), store: await openMemoryStore() });
});

test('an output has the height that made it and the height that spent it, by outpoint and by script', async () => {
  await apply(...story.slice(0, 3));
  expect(store.get(layout.output, { txid: id(1, 0), vout: 0 })).toEqual({ valueSats: 5_000n, madeAt: 1, spentAt: 2, script: script(0) });
  expect(store.get(layout.output, { txid: id(2, 1), vout: 1 })).toMatchObject({ madeAt: 2, spentAt: 2 });
  expect(store.get(layout.output, { txid: id(2, 3), vout: 0 })).toMatchObject({ madeAt: 2, spentAt: UNSPENT });
  // What id(2, 1) paid to script 1 was spent in the same block.
  expect(unspentOf(1)).toEqual([[toHex(id(2, 3)), 1_000n]]);
  expect(unspentOf(2)).toEqual([]);
  expect(store.get(layout.bitcoinTransaction, id(2, 3))).toEqual({ height: 2, index: 3 });
});

test('unspendable outputs are not there: OP_RETURN, and scripts of more than 10,000 bytes', async () => {
  await apply(...story);
  expect(store.get(layout.output, { txid: id(3, 1), vout: 1 })).toBeUndefined();
  expect(store.get(layout.output, { txid: id(5, 1), vout: 0 })).toBeUndefined();
  expect(store.get(layout.output, { txid: id(5, 1), vout: 1 })?.valueSats).toBe(2n);
});

test('an unknown input changes nothing', async () => {
  await apply(...story.slice(0, 3));
  expect(store.get(layout.output, { txid: new Uint8Array(32).fill(9), vout: 7 })).toBeUndefined();
});

test('each publication has its own row in Bitcoin order, and the coinbase publishes nothing', async () => {
  await apply(...story);
  const places: number[][] = [];
  for await (const [{ height, txIndex, vout }, row] of store.range(layout.publication)) {
    places.push([height, txIndex, vout]);
    expect(row.blockHash).toEqual(id(height, 0xff));
    expect(row.txid).toEqual(id(height, txIndex));
    expect(row.miner).toHaveLength(0);
  }
  expect(places).toEqual([
    [4, 1, 1],
    [4, 2, 0],
    [4, 2, 1],
  ]);
});

test('the compliance suite catches a follower that forgets a row', async () => {
  const forgetful = {
    ...bitcoinIndex,
    revert: (block: IndexedBlock, batch: Parameters<typeof bitcoinIndex.revert>[1]) => {
      bitcoinIndex.revert(block, batch);
      if (block.height === 4) batch.put(layout.bitcoinTransaction, id(4, 1), { height: 4, index: 1 });
    },
  };
  await expect(checkFollower({ follower: forgetful, blocks: story, store })).rejects.toThrow('index: the way down at block 3 of 6');
});
