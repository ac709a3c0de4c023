import { createNode, createRpcDeps, devKey, type Node } from '@hemid/node';
import { equal, fromDisplay, type SealedBlock, toHex } from '@hemid/protocol';
import { Secret, silentLogger } from '@hemid/runtime';
import { openMemoryStore, type Store } from '@hemid/store';
import { createTestNetwork, forge, publishKeystone, type TestNetwork } from '@hemid/testkit';
import { planBatch } from '@hemid/tunnel';
import { afterEach, beforeEach, expect, test } from 'vitest';

let network: TestNetwork;
/** The sequencer's second machine: it builds in secret. */
let rival: Node;
const failures: unknown[] = [];
beforeEach(async () => {
  network = await createTestNetwork();
  rival = await open(await openMemoryStore(), 'sequencer');
  await network.bitcoin.mineBlocks(1);
});
afterEach(async () => {
  await network.close();
  expect(failures.splice(0)).toEqual([]);
});

type Checkpoint = { number: bigint; hash: Uint8Array };

/** A node over a store; a verifier's blocks come from {@link give} alone. */
async function open(store: Store, kind: 'sequencer' | 'verifier', checkpoint?: Checkpoint): Promise<Node> {
  const { spec, bitcoin, clock } = network;
  const upstream = { sealedBlocks: async () => [], bitcoinBlock: async () => undefined, sendTransaction: async () => new Uint8Array() };
  const role = kind === 'sequencer' ? ({ kind, key: new Secret(devKey('sequencer').secret) } as const) : ({ kind, upstream, pollMs: 1000 } as const);
  const onFailure = (error: unknown): void => void failures.push(error);
  const node = await createNode(
    { spec, store, bitcoin: bitcoin.rpc, clock, log: silentLogger, onFailure },
    { bitcoinPollMs: 1000, role, checkpoint },
  );
  await look(node);
  return node;
}

async function look(node: Node): Promise<void> {
  await node.bitcoinSync.pull();
  await node.finality.onBitcoinTip();
  await node.settled();
}

/** Builds `count` blocks, each in a slot of its own. */
async function build(node: Node, count: number): Promise<SealedBlock[]> {
  const blocks: SealedBlock[] = [];
  for (let i = 0; i < count; i += 1) {
    await network.clock.advance(network.spec.genesis.blockTime * 1000);
    await look(node);
    const sealed = await node.duty?.tick();
    await node.settled();
    if (sealed === undefined) throw new Error('no block was built in this slot');
    blocks.push(sealed);
  }
  return blocks;
}

async function give(node: Node, blocks: readonly SealedBlock[]): Promise<void> {
  await look(node);
  for (const block of blocks) {
    await node.chain.import(block);
    await node.settled();
  }
}

const tipOf = (blocks: readonly SealedBlock[]): SealedBlock => blocks[blocks.length - 1] as SealedBlock;
const headOf = (node: Node): string => toHex(node.chain.head('latest').hash);
const finalizedOf = (node: Node): bigint => node.chain.head('finalized').header.number;
const checkpointAt = ({ block, hash }: SealedBlock): Checkpoint => ({ number: block.header.number, hash });
const reasonsOf = (node: Node): string[] =>
  createRpcDeps(node, {
    clock: network.clock,
    log: silentLogger,
    upstream: { sendTransaction: async () => new Uint8Array() } as never,
  }).status.reasons();

async function publish(node: Node, keystone: SealedBlock): Promise<void> {
  await publishKeystone(network.bitcoin.wallet, node.chain.keystone({ header: keystone.block.header, hash: keystone.hash }));
  await network.bitcoin.mineBlocks(1);
}

/** Two branches of keystone 5 after block 2: the secret one is published one Bitcoin block before the open one. */
async function fork(): Promise<{ past: SealedBlock[]; secret: SealedBlock[]; honest: SealedBlock[] }> {
  const { sequencer } = network;
  const past = await build(sequencer.node, 2);
  await give(rival, past);
  const secret = await build(rival, 3);
  const honest = await build(sequencer.node, 3);
  await publish(rival, tipOf(secret));
  await publish(sequencer.node, tipOf(honest));
  return { past, secret, honest };
}

test('a branch that was withheld until another is super-final is not followed: it is reported, and finality waits for a checkpoint', async () => {
  const { bitcoin, sequencer } = network;
  const { past, secret, honest } = await fork();
  const store = await openMemoryStore();
  const verifier = await open(store, 'verifier');
  await give(verifier, [...past, ...honest]);
  await bitcoin.mineBlocks(10);
  await look(verifier);
  expect(finalizedOf(verifier)).toBe(4n);

  await give(verifier, secret);
  expect(headOf(verifier)).toBe(toHex(tipOf(honest).hash));
  expect(verifier.chain.conflict()).toMatchObject({ kind: 'stays', fork: { hash: tipOf(past).hash } });
  // Custodians sign nothing meanwhile.
  expect(await planBatch(verifier.chain)).toEqual({ wait: expect.stringContaining('finality/conflict') });
  expect(reasonsOf(verifier)).toContainEqual(
    expect.stringMatching(/^finality\/conflict: two branches fork after block 2: .*published earlier came too late/),
  );

  // The branch goes on, and its keystones become super-final: finalized stays where it is.
  const later = await build(sequencer.node, 5);
  await give(verifier, later);
  await publish(sequencer.node, tipOf(later));
  await bitcoin.mineBlocks(10);
  await look(verifier);
  expect(headOf(verifier)).toBe(toHex(tipOf(later).hash));
  expect(finalizedOf(verifier)).toBe(4n);
  expect(verifier.chain.head('safe').header.number).toBe(9n);

  // Started anew on the same data it says the same.
  const again = await open(store, 'verifier');
  expect([headOf(again), finalizedOf(again), again.chain.conflict()?.kind]).toEqual([toHex(tipOf(later).hash), 4n, 'stays']);

  // The operator decides. For the branch it is on: finality goes on.
  const onOwn = await open(store, 'verifier', checkpointAt(tipOf(honest)));
  expect([headOf(onOwn), finalizedOf(onOwn), onOwn.chain.conflict()]).toEqual([toHex(tipOf(later).hash), 9n, undefined]);
  // For the other one: it changes over.
  const onOther = await open(store, 'verifier', checkpointAt(tipOf(secret)));
  expect([headOf(onOther), finalizedOf(onOther), onOther.chain.conflict()]).toEqual([toHex(tipOf(secret).hash), 4n, undefined]);
  expect(equal(onOther.chain.head('finalized').hash, secret[1]?.hash as Uint8Array)).toBe(true);
});

test('a branch that comes before the other is super-final is followed, by every node and in every order', async () => {
  const { bitcoin } = network;
  const { past, secret, honest } = await fork();
  await bitcoin.mineBlocks(9);
  for (const order of [
    [...honest, ...secret],
    [...secret, ...honest],
  ]) {
    const verifier = await open(await openMemoryStore(), 'verifier');
    await give(verifier, [...past, ...order]);
    expect([headOf(verifier), verifier.chain.conflict()]).toEqual([toHex(tipOf(secret).hash), undefined]);
  }
});

test('every node reports a losing branch that was built when the winner had long been published, and one that is behind stops', async () => {
  const { bitcoin, sequencer } = network;
  const { past, secret, honest } = await fork();
  await bitcoin.mineBlocks(10);
  const before = await build(sequencer.node, 4);
  const [keystone] = await build(sequencer.node, 1);
  await publish(sequencer.node, keystone as SealedBlock);
  const follower = await open(await openMemoryStore(), 'verifier');
  await give(follower, [...past, ...secret, ...honest, ...before, keystone as SealedBlock]);
  expect([headOf(follower), follower.chain.conflict()]).toEqual([toHex(tipOf(secret).hash), undefined]);
  await bitcoin.mineBlocks(9);
  await look(follower);
  // Nine confirmations: no contradiction yet.
  expect(follower.chain.conflict()).toBeUndefined();
  expect(finalizedOf(follower)).toBe(4n);
  await bitcoin.mineBlocks(1);
  await look(follower);
  expect(follower.chain.conflict()).toMatchObject({ kind: 'contradicted', own: { keystone: { hash: tipOf(secret).hash } } });
  expect(headOf(follower)).toBe(toHex(tipOf(secret).hash));
  expect(reasonsOf(follower)).toContainEqual(expect.stringMatching(/^finality\/conflict: .*knows nothing of this one/));
  // Its own branch goes on: a block of now is taken.
  await look(rival);
  const fresh = await build(rival, 1);
  await give(follower, fresh);
  expect(headOf(follower)).toBe(toHex(tipOf(fresh).hash));
  expect(finalizedOf(follower)).toBe(4n);

  // A node that comes to it from behind, with a block of long ago on its head, stops.
  const late = await open(await openMemoryStore(), 'verifier');
  await give(late, [...past, ...honest, ...before, keystone as SealedBlock, ...secret.slice(0, 2)]);
  expect(late.chain.conflict()).toBeUndefined();
  await give(late, secret.slice(2));
  expect(late.chain.conflict()?.kind).toBe('stays');
  await bitcoin.mineBlocks(10);
  await look(late);
  const [old] = await build(sequencer.node, 1);
  await bitcoin.mineBlocks(10);
  await look(late);
  await expect(late.chain.import(old as SealedBlock)).rejects.toMatchObject({
    code: 'chain/conflict',
    severity: 'retry',
    message: /set --checkpoint/,
  });
  // Blocks of other branches are still taken, for they may be the right ones.
  await give(late, fresh);
});

test('a Bitcoin reorg of ten blocks ends the exception, one of nine does not', async () => {
  const { bitcoin } = network;
  const { past, secret, honest } = await fork();
  const verifier = await open(await openMemoryStore(), 'verifier');
  await give(verifier, [...past, ...honest]);
  await bitcoin.mineBlocks(10);
  await look(verifier);
  await give(verifier, secret);
  await bitcoin.reorg(9);
  await look(verifier);
  expect([headOf(verifier), verifier.chain.conflict()?.kind]).toEqual([toHex(tipOf(honest).hash), 'stays']);
  // Both publications stand below the fork.
  await network.clock.advance(60_000);
  await bitcoin.reorg(10);
  await look(verifier);
  expect([headOf(verifier), verifier.chain.conflict()]).toEqual([toHex(tipOf(secret).hash), undefined]);
  expect(equal(verifier.chain.head('finalized').hash, secret[1]?.hash as Uint8Array)).toBe(true);
});

test('a deep reorg of Bitcoin that a node learns of when it is started ends the exception too', async () => {
  const { bitcoin } = network;
  const { past, secret, honest } = await fork();
  const store = await openMemoryStore();
  const verifier = await open(store, 'verifier');
  await give(verifier, [...past, ...honest]);
  await bitcoin.mineBlocks(10);
  await look(verifier);
  await give(verifier, secret);
  expect(verifier.chain.conflict()?.kind).toBe('stays');
  await bitcoin.reorg(10);
  const again = await open(store, 'verifier');
  expect([headOf(again), again.chain.conflict()]).toEqual([toHex(tipOf(secret).hash), undefined]);
});

test('a checkpoint that is not here yet holds a node below it on branches that contradict it', async () => {
  const { bitcoin } = network;
  const { past, secret, honest } = await fork();
  await bitcoin.mineBlocks(10);
  const node = await open(await openMemoryStore(), 'verifier', checkpointAt(tipOf(secret)));
  await give(node, [...past, ...honest]);
  expect(node.chain.head('latest').header.number).toBe(4n);
  expect(reasonsOf(node)).toContainEqual(expect.stringMatching(/^the checkpoint, block 5 0x[0-9a-f]{64}, is not here yet$/));
  await give(node, secret);
  expect([headOf(node), node.chain.conflict()]).toEqual([toHex(tipOf(secret).hash), undefined]);
  expect(reasonsOf(node).filter((reason) => reason.includes('checkpoint'))).toEqual([]);
});

test('a checkpoint that contradicts the genesis, or names a block by another number, is refused', async () => {
  const past = await build(network.sequencer.node, 2);
  const wrong = { number: 0n, hash: tipOf(past).hash };
  await expect(open(await openMemoryStore(), 'verifier', wrong)).rejects.toMatchObject({
    code: 'chain/checkpoint',
    message: /the genesis of this chain is 0x/,
  });
  const verifier = await network.createVerifier();
  await verifier.sync();
  await expect(open(verifier.store, 'verifier', { number: 1n, hash: tipOf(past).hash })).rejects.toMatchObject({
    code: 'chain/checkpoint',
    message: /as block 1, but that is block 2/,
  });
  const { hash } = network.sequencer.node.chain.head('earliest');
  expect((await open(verifier.store, 'verifier', { number: 0n, hash })).chain.head('latest').header.number).toBe(2n);
});

test('a sealed branch that only waits for Bitcoin data is reported when it was published earlier', async () => {
  const { bitcoin, sequencer } = network;
  const past = await build(sequencer.node, 2);
  await give(rival, past);
  // The verifier's node looks at Bitcoin, but the secret branch names a block that nobody gives it.
  const first = await build(rival, 1);
  const honest = await build(sequencer.node, 3);
  const orphan = (await bitcoin.rpc('getbestblockhash', [])) as string;
  await bitcoin.mineBlocks(1);
  const side = await build(rival, 1);
  const top = (await bitcoin.rpc('getbestblockhash', [])) as string;
  await bitcoin.rpc('invalidateblock', [top]);
  await bitcoin.mine({ count: 2, address: bitcoin.wallet.addresses.p2pkh });
  await look(rival);
  const last = await build(rival, 1);
  expect(orphan).not.toBe(top);
  const secret = [...first, ...side, ...last];
  await publish(rival, tipOf(secret));
  await publish(sequencer.node, tipOf(honest));
  await bitcoin.mineBlocks(10);

  const verifier = await open(await openMemoryStore(), 'verifier');
  await give(verifier, [...past, ...honest, ...first]);
  expect(finalizedOf(verifier)).toBe(4n);
  await expect(verifier.chain.import(side[0] as SealedBlock)).rejects.toMatchObject({ severity: 'retry' });
  expect(verifier.chain.conflict()).toBeUndefined();
  await expect(verifier.chain.import(last[0] as SealedBlock)).rejects.toMatchObject({ code: 'chain/parent-unknown' });
  expect(verifier.chain.conflict()).toMatchObject({ kind: 'waiting', fork: { hash: tipOf(past).hash } });
  expect(headOf(verifier)).toBe(toHex(tipOf(honest).hash));
  expect(reasonsOf(verifier)).toContainEqual(expect.stringMatching(/^finality\/conflict: .*waits for Bitcoin data/));

  // The data comes: the branch is judged like any other.
  await verifier.blocks.keepAll([rival.blocks.readRaw(fromDisplay(top)) as Uint8Array]);
  await give(verifier, [...side, ...last]);
  expect([headOf(verifier), verifier.chain.conflict()?.kind]).toEqual([toHex(tipOf(honest).hash), 'stays']);
});

test('what waits on a block that turns out invalid is forgotten with it', async () => {
  const { bitcoin, sequencer, spec } = network;
  const past = await build(sequencer.node, 2);
  await give(rival, past);
  await bitcoin.mineBlocks(1);
  const top = (await bitcoin.rpc('getbestblockhash', [])) as string;
  const [side] = await build(rival, 1);
  const [next] = await build(rival, 1);
  await bitcoin.rpc('invalidateblock', [top]);
  await bitcoin.mine({ count: 2, address: bitcoin.wallet.addresses.p2pkh });
  const wrong = forge(spec, side as SealedBlock, (block) => ({ ...block, header: { ...block.header, stateRoot: new Uint8Array(32) } }));
  const onIt = forge(spec, next as SealedBlock, (block) => ({ ...block, header: { ...block.header, parentHash: wrong.hash } }));
  const strange = forge(
    spec,
    next as SealedBlock,
    (block) => ({ ...block, header: { ...block.header, parentHash: wrong.hash } }),
    devKey('miner').secret,
  );

  const verifier = await open(await openMemoryStore(), 'verifier');
  await give(verifier, past);
  await expect(verifier.chain.import(wrong)).rejects.toMatchObject({ severity: 'retry' });
  await expect(verifier.chain.import(strange)).rejects.toMatchObject({ code: 'chain/block-invalid', details: { rule: 'seal-key' } });
  await expect(verifier.chain.import(onIt)).rejects.toMatchObject({ code: 'chain/parent-unknown' });
  await verifier.blocks.keepAll([rival.blocks.readRaw(fromDisplay(top)) as Uint8Array]);
  await expect(verifier.chain.import(wrong)).rejects.toMatchObject({ code: 'chain/block-invalid', details: { rule: 'header-stateRoot' } });
  const honest = await build(sequencer.node, 2);
  await give(verifier, honest);
  expect([headOf(verifier), verifier.chain.conflict()]).toEqual([toHex(tipOf(honest).hash), undefined]);
});
