import { type Derivation, type DerivationInput, isKeystone, type PlacedL2Header } from '@hemid/chain';
import {
  abbreviate,
  addressOfKey,
  decodePayout,
  decodeSystemTransaction,
  encodePopScript,
  PAYOUT_TYPE,
  type SealedBlock,
  type SystemEnvelope,
  toHex,
} from '@hemid/protocol';
import { createBitcoinWallet, createTestNetwork, publishKeystone, type TestNetwork } from '@hemid/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createPayoutDerivation } from '../src/index.ts';

let network: TestNetwork;
beforeEach(async () => {
  network = await createTestNetwork();
});
afterEach(() => network.close());

/** Builds until the head is a keystone; @returns its block. */
async function buildKeystone(): Promise<SealedBlock> {
  for (;;) {
    const block = await network.sequencer.build();
    if (isKeystone(network.spec, block.block.header.number)) return block;
  }
}

const headOf = ({ block, hash }: SealedBlock): PlacedL2Header => ({ header: block.header, hash });
const rewarded = (transactions: readonly SystemEnvelope[]): bigint[] =>
  transactions.filter(({ type }) => type === PAYOUT_TYPE).map(({ data }) => decodePayout(data).blockRewarded);
const payoutsOf = ({ block }: SealedBlock): bigint[] =>
  rewarded(block.transactions.filter((raw) => raw[0] === PAYOUT_TYPE).map(decodeSystemTransaction));

/** What a derivation says is due in the block after `parent`, on the view of `parent`. */
function dueAfter(derivation: Derivation, parent: PlacedL2Header, change: Partial<DerivationInput> = {}): ReturnType<Derivation['due']> {
  const { chain } = network.sequencer.node;
  return derivation.due({
    parent,
    number: parent.header.number + 1n,
    timestamp: parent.header.timestamp + 1n,
    ancestor: (number) => chain.ancestorOf(parent, number),
    state: chain.stateAt(parent),
    view: chain.viewAt(parent),
    budget: 15_000_000n,
    ...change,
  });
}

test('of twelve keystones due at once eight are paid, the others in the next keystone block, and a verifier agrees', async () => {
  const { spec, bitcoin, sequencer } = network;
  const { chain, headers } = sequencer.node;
  await bitcoin.mineBlocks(1);
  const keystones: PlacedL2Header[] = [];
  while (keystones.length < 12) keystones.push(headOf(await buildKeystone()));
  for (const keystone of keystones) {
    await publishKeystone(bitcoin.wallet, chain.keystone(keystone));
    if (keystone.header.number % 20n === 0n) await bitcoin.mineBlocks(1);
  }
  await bitcoin.mineBlocks(10);
  const first = await buildKeystone();
  expect(payoutsOf(first)).toEqual(keystones.slice(0, 8).map(({ header }) => header.number));

  // What is left, on the block before the next keystone, at other budgets and by a derivation that remembers nothing.
  await sequencer.build(4);
  const parent = chain.head('latest');
  const fresh = (): Derivation => createPayoutDerivation(spec, headers);
  const left = keystones.slice(8).map(({ header }) => header.number);
  expect(rewarded((await dueAfter(fresh(), parent)).transactions)).toEqual(left);
  for (const [budget, count] of [
    [159_999n, 0],
    [160_000n, 1],
    [479_999n, 2],
    [480_000n, 3],
  ] as const) {
    expect(rewarded((await dueAfter(fresh(), parent, { budget })).transactions)).toEqual(left.slice(0, count));
  }
  // One that remembers gives the same as often as it is asked, on other branches in between too.
  const one = fresh();
  for (const asked of [parent, headOf(first), parent, keystones[5] as PlacedL2Header, parent]) {
    const expected = await dueAfter(fresh(), asked, { number: 70n });
    expect(rewarded((await dueAfter(one, asked, { number: 70n })).transactions)).toEqual(rewarded(expected.transactions));
  }

  const second = await buildKeystone();
  expect(payoutsOf(second)).toEqual(left);
  expect(payoutsOf(await buildKeystone())).toEqual([]);
  const verifier = await network.createVerifier();
  await verifier.sync();
  await verifier.sync();
  expect(toHex(verifier.node.chain.head('latest').hash)).toBe(toHex(chain.head('latest').hash));
});

test('only a keystone block pays', async () => {
  const { bitcoin, sequencer } = network;
  const { chain } = sequencer.node;
  await bitcoin.mineBlocks(1);
  const keystone = headOf(await buildKeystone());
  await publishKeystone(bitcoin.wallet, chain.keystone(keystone));
  await bitcoin.mineBlocks(12);
  const between = [await sequencer.build(), await sequencer.build(), await sequencer.build(), await sequencer.build()];
  expect(between.flatMap(payoutsOf)).toEqual([]);
  expect(payoutsOf(await sequencer.build())).toEqual([5n]);
});

test('miners of one keystone share its pool by their place in Bitcoin; one that shows no key opens no window', async () => {
  const { bitcoin, sequencer, spec } = network;
  const { chain } = sequencer.node;
  const second = createBitcoinWallet({ rpc: bitcoin.rpc, secret: 'another miner' });
  await bitcoin.wallet.pay({
    outputs: [
      { to: second.addresses.p2pkh, valueSats: 100_000n },
      { to: bitcoin.wallet.addresses.p2tr, valueSats: 100_000n },
    ],
  });
  await bitcoin.mineBlocks(1);
  const keystone = chain.keystone(headOf(await buildKeystone()));
  const script = encodePopScript(abbreviate(keystone));
  await bitcoin.wallet.pay({ outputs: [{ to: script, valueSats: 0n }], from: 'p2tr' });
  await bitcoin.mineBlocks(3);
  await publishKeystone(second, keystone, 'p2pkh');
  await bitcoin.mineBlocks(2);
  await publishKeystone(bitcoin.wallet, keystone);
  // The window opened at 115: due when the index, two behind, stands at 123.
  await bitcoin.mineBlocks(124 - (await bitcoin.height()));
  expect(payoutsOf(await buildKeystone())).toEqual([]);
  await bitcoin.mineBlocks(1);
  const block = await buildKeystone();
  const raw = block.block.transactions.find((one) => one[0] === PAYOUT_TYPE) as Uint8Array;
  expect(decodePayout(decodeSystemTransaction(raw).data)).toEqual({
    blockRewarded: 5n,
    miners: [second, bitcoin.wallet].map(({ publicKey }) => addressOfKey(publicKey)),
    amounts: [(spec.genesis.popPool * 100_000n) / 125_000n, (spec.genesis.popPool * 25_000n) / 125_000n],
  });
});
