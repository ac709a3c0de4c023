import { RLP } from '@ethereumjs/rlp';
import type { HeadChange } from '@hemid/chain';
import { createNode, createRpcDeps, devKey, type Node } from '@hemid/node';
import { decodeHeader, fromHex, type Hex, hashHeader, readSealer, type SealedBlock, slotAt, toHex } from '@hemid/protocol';
import { createLimits, createRpcContext, invoke } from '@hemid/rpc';
import { Secret, silentLogger } from '@hemid/runtime';
import { layout, openMemoryStore, type Store } from '@hemid/store';
import { createTestNetwork, createUser, publishKeystone, receiptOf, type TestNetwork } from '@hemid/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';

let network: TestNetwork;
/** A second machine with the sequencer's key and spec, which knows nothing of the first. */
let rival: Node;
beforeEach(async () => {
  network = await createTestNetwork();
  rival = await sequencerOn(await openMemoryStore());
});
afterEach(() => network.close());

function sequencerOn(store: Store): Promise<Node> {
  const { spec, bitcoin, clock } = network;
  const onFailure = (error: unknown): void => {
    throw error;
  };
  const role = { kind: 'sequencer', key: new Secret(devKey('sequencer').secret) } as const;
  return createNode({ spec, store, bitcoin: bitcoin.rpc, clock, log: silentLogger, onFailure }, { bitcoinPollMs: 1000, role });
}

const nextSlot = (): Promise<void> => network.clock.advance(network.spec.genesis.blockTime * 1000);

/** Builds in the slot of now. */
async function buildNow(node: Node): Promise<SealedBlock> {
  await node.bitcoinSync.pull();
  await node.settled();
  const sealed = await node.duty?.tick();
  await node.settled();
  if (sealed === undefined) throw new Error('no block was built in this slot');
  return sealed;
}

/** Two blocks that the sequencer built and its rival has too. */
async function commonPast(): Promise<SealedBlock[]> {
  const past = [await network.sequencer.build(), await network.sequencer.build()];
  for (const block of past) await rival.chain.import(block);
  return past;
}

interface Evidence {
  slot: bigint;
  hash: Hex;
  signer: Hex;
}

/** The rows of evidence, each checked to hold a header with a seal of its own. */
async function evidenceOf(store: Store): Promise<Evidence[]> {
  const rows: Evidence[] = [];
  for await (const [{ slot, blockHash }, bytes] of store.range(layout.slotEvidence)) {
    const [header, seal] = RLP.decode(bytes) as [Uint8Array, Uint8Array];
    expect(toHex(hashHeader(decodeHeader(header)))).toBe(toHex(blockHash));
    expect(slotAt(network.spec, decodeHeader(header).timestamp)).toBe(slot);
    const signer = readSealer(seal, BigInt(network.spec.genesis.chainId), blockHash);
    rows.push({ slot, hash: toHex(blockHash), signer: toHex(signer as Uint8Array) });
  }
  return rows;
}

const slotOf = (block: SealedBlock): bigint => slotAt(network.spec, block.block.header.timestamp) ?? 0n;
const hashes = (blocks: readonly { hash: Uint8Array }[]): Hex[] => blocks.map(({ hash }) => toHex(hash)).sort();

test('the taller of two branches is followed, the transactions of the other leave the index, and its receipts with them', async () => {
  const past = await commonPast();
  const user = createUser(network.sequencer.node, 0);
  const lost = await user.send({ to: user.address, value: 1n });
  const a3 = await network.sequencer.build();
  expect(a3.block.transactions).toHaveLength(1);
  await nextSlot();
  const b3 = await buildNow(rival);
  const other = createUser(rival, 1);
  const kept = await other.send({ to: other.address, value: 2n });
  await nextSlot();
  const b4 = await buildNow(rival);

  const verifier = await network.createVerifier();
  const { chain } = verifier.node;
  for (const block of [...past, a3]) await verifier.receive(block);
  expect(toHex(chain.head('latest').hash)).toBe(toHex(a3.hash));
  expect(receiptOf(verifier.node, lost)?.succeeded).toBe(true);
  const changes: HeadChange[] = [];
  chain.onHead((change) => changes.push(change));
  await verifier.receive(b3);
  await verifier.receive(b4);
  expect(toHex(chain.head('latest').hash)).toBe(toHex(b4.hash));
  expect(chain.transaction(fromHex(lost))).toBeUndefined();
  expect(chain.transaction(fromHex(kept))).toEqual({ blockHash: b4.hash, index: 0 });
  expect(chain.headerAt(3n)?.hash).toEqual(b3.hash);
  expect(changes.flatMap(({ removed }) => removed.map(({ hash }) => toHex(hash)))).toContain(toHex(a3.hash));
  expect(hashes(changes.flatMap(({ added }) => added))).toEqual(hashes([b3, b4]));
  // The block itself is still known, and a state of it still answers.
  expect(chain.block(a3.hash)).toEqual(a3);
  expect(await chain.stateAt({ header: a3.block.header, hash: a3.hash }).account(fromHex(user.address))).toMatchObject({ nonce: 1n });
});

test('a sequencer whose block lost takes its transaction back into the pool and into its next block', async () => {
  await commonPast();
  const { node } = network.sequencer;
  const user = createUser(node, 0);
  const hash = await user.send({ to: user.address, value: 1n });
  await network.sequencer.build();
  expect(node.pool?.counts()).toEqual({ pending: 0, queued: 0 });
  await nextSlot();
  const b3 = await buildNow(rival);
  await nextSlot();
  const b4 = await buildNow(rival);
  for (const block of [b3, b4]) await node.chain.import(block);
  await node.settled();
  expect(node.chain.transaction(fromHex(hash))).toBeUndefined();
  expect(node.pool?.counts()).toEqual({ pending: 1, queued: 0 });
  const a5 = await network.sequencer.build();
  expect(toHex(a5.block.header.parentHash)).toBe(toHex(b4.hash));
  expect(node.chain.transaction(fromHex(hash))).toEqual({ blockHash: a5.hash, index: 0 });
});

test('a published branch wins over a taller one as soon as Bitcoin has it, on every node', async () => {
  const { bitcoin, sequencer } = network;
  await commonPast();
  await sequencer.build(3);
  const { chain } = sequencer.node;
  const keystone = chain.head('latest');
  const branch = [3n, 4n, 5n].map((number) => chain.block(chain.headerAt(number)?.hash as Uint8Array) as SealedBlock);
  for (let i = 0; i < 5; i += 1) {
    await nextSlot();
    const block = await buildNow(rival);
    await chain.import(block);
  }
  await sequencer.node.settled();
  for (const block of branch) await rival.chain.import(block);
  const tall = rival.chain.head('latest').hash;
  expect(rival.chain.head('latest').header.number).toBe(7n);
  expect(toHex(chain.head('latest').hash)).toBe(toHex(tall));

  await publishKeystone(bitcoin.wallet, chain.keystone(keystone));
  await bitcoin.mineBlocks(1);
  for (const node of [sequencer.node, rival]) {
    await node.bitcoinSync.pull();
    await node.settled();
    expect(toHex(node.chain.head('latest').hash)).toBe(toHex(keystone.hash));
  }
});

test('two blocks of one slot are kept as evidence with both seals', async () => {
  const past = await commonPast();
  const user = createUser(network.sequencer.node, 0);
  await user.send({ to: user.address });
  const a3 = await network.sequencer.build();
  const b3 = await buildNow(rival);
  expect(slotOf(a3)).toBe(slotOf(b3));
  const verifier = await network.createVerifier();
  for (const block of [...past, a3]) await verifier.receive(block);
  expect(await evidenceOf(verifier.store)).toEqual([]);
  await verifier.receive(b3);
  const evidence = await evidenceOf(verifier.store);
  expect(evidence.map(({ hash }) => hash).sort()).toEqual(hashes([a3, b3]));
  for (const row of evidence)
    expect(row).toMatchObject({ slot: slotOf(a3), signer: toHex(network.spec.genesis.sequencers[0]?.signer as Uint8Array) });
});

test('anyone can ask for the evidence, and check it', async () => {
  const past = await commonPast();
  const { node } = network.sequencer;
  const a3 = await network.sequencer.build();
  await createUser(rival, 0).send({ to: `0x${'11'.repeat(20)}` });
  const b3 = await buildNow(rival);
  const context = createRpcContext(createRpcDeps(node, { clock: network.clock, log: silentLogger }), createLimits({ rpcCheckAnswers: true }));
  const ask = (...params: unknown[]): Promise<unknown> => invoke('hemi_getEvidence', params, context);
  expect(await ask()).toEqual([]);
  await node.chain.import(b3);
  const [evidence] = (await ask()) as { slot: string; sequencer: Hex; blocks: { number: string; hash: Hex; header: Hex; seal: Hex }[] }[];
  expect(evidence).toMatchObject({
    slot: `0x${slotOf(a3).toString(16)}`,
    sequencer: toHex(network.spec.genesis.sequencers[0]?.signer as Uint8Array),
  });
  expect(evidence?.blocks.map(({ hash }) => hash).sort()).toEqual(hashes([a3, b3]));
  for (const { header, seal, hash } of evidence?.blocks ?? []) {
    expect(toHex(hashHeader(decodeHeader(fromHex(header))))).toBe(hash);
    expect(toHex(readSealer(fromHex(seal), BigInt(network.spec.genesis.chainId), fromHex(hash)) as Uint8Array)).toBe(evidence?.sequencer);
  }
  expect(await ask(`0x${(slotOf(a3) + 1n).toString(16)}`)).toEqual([]);
  await expect(ask('0x0', 101)).rejects.toMatchObject({ code: 'rpc/invalid-params' });
  expect(past).toHaveLength(2);
  context.close();
});

test('two blocks of one slot are evidence whatever their numbers and their order', async () => {
  const past = await commonPast();
  await nextSlot();
  const b3 = await buildNow(rival);
  const a3 = await network.sequencer.build();
  const b4 = await buildNow(rival);
  expect([a3.block.header.number, b4.block.header.number]).toEqual([3n, 4n]);
  expect(slotOf(a3)).toBe(slotOf(b4));
  for (const order of [
    [a3, b3, b4],
    [b3, b4, a3],
    [b3, a3, b4],
  ]) {
    const verifier = await network.createVerifier();
    for (const block of [...past, ...order]) await verifier.receive(block);
    expect((await evidenceOf(verifier.store)).map(({ hash }) => hash).sort()).toEqual(hashes([a3, b4]));
    expect(toHex(verifier.node.chain.head('latest').hash)).toBe(toHex(b4.hash));
  }
});

test('two blocks of one slot are evidence although neither is on the canonical chain', async () => {
  const past = await commonPast();
  const third = await sequencerOn(await openMemoryStore());
  for (const block of past) await third.chain.import(block);
  await nextSlot();
  const b3 = await buildNow(rival);
  const user = createUser(third, 0);
  await user.send({ to: user.address });
  const c3 = await buildNow(third);
  expect(slotOf(b3)).toBe(slotOf(c3));
  const [a3, a4] = [await network.sequencer.build(), await network.sequencer.build()];
  const verifier = await network.createVerifier();
  for (const block of [...past, a3, a4, b3]) await verifier.receive(block);
  expect(await evidenceOf(verifier.store)).toEqual([]);
  await verifier.receive(c3);
  expect((await evidenceOf(verifier.store)).map(({ hash }) => hash).sort()).toEqual(hashes([b3, c3]));
  expect(toHex(verifier.node.chain.head('latest').hash)).toBe(toHex(a4.hash));
});

test('a sequencer seals one block in a slot: not twice by two ticks, not by two at once', async () => {
  const { duty, chain } = network.sequencer.node;
  await nextSlot();
  const [one, two] = await Promise.all([duty?.tick(), duty?.tick()]);
  expect([one, two].filter((block) => block !== undefined)).toHaveLength(1);
  expect(await duty?.tick()).toBeUndefined();
  expect(chain.head('latest').header.number).toBe(1n);
  await nextSlot();
  expect(await duty?.tick()).toBeDefined();
});

test('a sequencer does not seal a slot again on another parent, nor after it was started anew on its data', async () => {
  await commonPast();
  const { node, store } = network.sequencer;
  await nextSlot();
  const b3 = await buildNow(rival);
  await nextSlot();
  const b4 = await buildNow(rival);
  const a3 = await network.sequencer.build();
  for (const block of [b3, b4]) await node.chain.import(block);
  await node.settled();
  // The head is now of an earlier slot than the one sealed: only the row of the slot forbids a second block.
  expect(toHex(node.chain.head('latest').hash)).toBe(toHex(b4.hash));
  expect(slotOf(a3)).toBe(slotOf(b4) + 1n);
  expect(await node.duty?.tick()).toBeUndefined();
  const again = await sequencerOn(store);
  expect(toHex(again.chain.head('latest').hash)).toBe(toHex(b4.hash));
  expect(await again.duty?.tick()).toBeUndefined();
  await nextSlot();
  const a5 = await buildNow(again);
  expect(toHex(a5.block.header.parentHash)).toBe(toHex(b4.hash));
});
