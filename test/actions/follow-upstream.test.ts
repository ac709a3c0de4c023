import { createNode, devKey, type Node, type NodeOptions } from '@hemid/node';
import { decodeSealedBlock, encodeSealedBlock, type SealedBlock, toHex } from '@hemid/protocol';
import { type Logger, Secret, silentLogger } from '@hemid/runtime';
import { openMemoryStore } from '@hemid/store';
import { createTestNetwork, forge, type TestNetwork } from '@hemid/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';

let network: TestNetwork;
/** What the upstream has on its chain now. */
let served: SealedBlock[];
let requests: number;
/** A verifier of that upstream, and the lines that it logs as errors. */
let verifier: Node;
let errors: string[];

beforeEach(async () => {
  network = await createTestNetwork();
  served = [];
  requests = 0;
  errors = [];
  const log: Logger = Object.assign(Object.create(silentLogger) as Logger, {
    error: (_fields: unknown, message: string) => void errors.push(message),
  });
  const upstream = {
    async sealedBlocks(from: bigint, count: number) {
      requests += 1;
      const genesis = network.sequencer.node.chain.block(network.sequencer.node.chain.head('earliest').hash) as SealedBlock;
      return [genesis, ...served].slice(Number(from), Number(from) + count).map((block) => decodeSealedBlock(encodeSealedBlock(block)));
    },
    bitcoinBlock: async () => undefined,
    sendTransaction: async () => new Uint8Array(),
  };
  verifier = await nodeWith({ kind: 'verifier', upstream, pollMs: 1000 }, log);
});
afterEach(() => network.close());

async function nodeWith(role: NodeOptions['role'], log = silentLogger): Promise<Node> {
  const { spec, bitcoin, clock } = network;
  const onFailure = (error: unknown): void => {
    throw error;
  };
  return createNode({ spec, store: await openMemoryStore(), bitcoin: bitcoin.rpc, clock, log, onFailure }, { bitcoinPollMs: 1000, role });
}

async function build(count: number): Promise<SealedBlock[]> {
  const blocks: SealedBlock[] = [];
  while (blocks.length < count) blocks.push(await network.sequencer.build());
  return blocks;
}

/** Blocks of another machine with the sequencer's key, on top of `past`. */
async function buildRival(past: readonly SealedBlock[], count: number): Promise<SealedBlock[]> {
  const rival = await nodeWith({ kind: 'sequencer', key: new Secret(devKey('sequencer').secret) });
  for (const block of past) await rival.chain.import(block);
  const blocks: SealedBlock[] = [];
  while (blocks.length < count) {
    await network.clock.advance(network.spec.genesis.blockTime * 1000);
    await rival.settled();
    blocks.push((await rival.duty?.tick()) as SealedBlock);
  }
  return blocks;
}

async function pull(): Promise<void> {
  await verifier.bitcoinSync.pull();
  await verifier.follow?.pull();
  await verifier.settled();
}

const headHash = (): string => toHex(verifier.chain.head('latest').hash);
const lastHash = (blocks: readonly SealedBlock[]): string => toHex((blocks[blocks.length - 1] as SealedBlock).hash);

test('a verifier fetches more than one batch in one round, and says so while it does', async () => {
  served = await build(130);
  const progress: (bigint | undefined)[][] = [];
  verifier.chain.onHead(({ added }) => {
    const way = verifier.follow?.catchingUp();
    progress.push([added[0]?.header.number, way?.from, way?.to]);
  });
  await pull();
  expect([progress[0], progress[62], progress[129]]).toEqual([
    [1n, 0n, 63n],
    [63n, 0n, 63n],
    [130n, undefined, undefined],
  ]);
  expect(headHash()).toBe(lastHash(served));
});

test('at the head of the upstream a round is one request and changes nothing', async () => {
  served = await build(3);
  await pull();
  requests = 0;
  await pull();
  expect(requests).toBe(1);
  expect(headHash()).toBe(lastHash(served));
});

test('a reorg of the upstream that is deeper than the steps back is followed in one round', async () => {
  const common = await build(64);
  const stale = await build(102);
  served = [...common, ...stale];
  await pull();
  expect(headHash()).toBe(lastHash(stale));
  // The step back from the head lands below the fork, with a whole batch of blocks that are known.
  const branch = await buildRival(common, 104);
  served = [...common, ...branch];
  await pull();
  expect(headHash()).toBe(lastHash(branch));
});

test('an upstream whose chain became shorter than the own one is followed when it wins', async () => {
  const common = await build(2);
  const stale = await build(6);
  served = [...common, ...stale];
  await pull();
  const branch = await buildRival(common, 7);
  served = [...common, ...branch.slice(0, 3)];
  await pull();
  expect(headHash()).toBe(lastHash(stale));
  expect(verifier.chain.header((branch[2] as SealedBlock).hash)).toBeDefined();
  served = [...common, ...branch];
  await pull();
  expect(headHash()).toBe(lastHash(branch));
});

test('a refused block is reported once, and an honest branch is followed afterwards', async () => {
  const honest = await build(4);
  const forged = forge(network.spec, honest[2] as SealedBlock, (block) => ({ ...block, header: { ...block.header, stateRoot: new Uint8Array(32) } }));
  served = [...honest.slice(0, 2), forged];
  for (let round = 0; round < 3; round += 1) await pull();
  expect(headHash()).toBe(lastHash(honest.slice(0, 2)));
  expect(errors).toEqual([expect.stringMatching(/^refused: block 3 .* header field stateRoot/)]);
  expect(verifier.follow?.refused()?.message).toMatch(/stateRoot/);
  expect(verifier.follow?.trouble()).toMatch(/stateRoot/);

  served = honest;
  await pull();
  expect(headHash()).toBe(lastHash(honest));
  expect(verifier.follow?.refused()).toBeUndefined();
  expect(errors).toHaveLength(1);

  // Another broken block is another report.
  const [fifth] = await build(1);
  const again = forge(network.spec, fifth as SealedBlock, (block) => ({ ...block, header: { ...block.header, gasUsed: 1n } }));
  served = [...honest, again];
  await pull();
  await pull();
  expect(errors).toHaveLength(2);
});

test('a block of a slot that has not come is taken when its time is there', async () => {
  const blocks = await build(3);
  const { spec, clock } = network;
  const early = await createTestNetwork();
  // The clock of this verifier stands at the genesis.
  const upstream = {
    sealedBlocks: async (from: bigint, count: number) =>
      [early.sequencer.node.chain.block(early.sequencer.node.chain.head('earliest').hash) as SealedBlock, ...blocks].slice(
        Number(from),
        Number(from) + count,
      ),
    bitcoinBlock: async () => undefined,
    sendTransaction: async () => new Uint8Array(),
  };
  const deps = {
    spec,
    store: await openMemoryStore(),
    bitcoin: network.bitcoin.rpc,
    clock: early.clock,
    log: silentLogger,
    onFailure: () => undefined,
  };
  const node = await createNode(deps, { bitcoinPollMs: 1000, role: { kind: 'verifier', upstream, pollMs: 1000 } });
  await node.follow?.pull();
  expect(node.chain.head('latest').header.number).toBe(0n);
  for (const number of [1n, 2n, 3n]) {
    await early.clock.advance(spec.genesis.blockTime * 1000);
    await node.follow?.pull();
    expect(node.chain.head('latest').header.number).toBe(number);
  }
  expect(clock.now()).toBe(early.clock.now());
  await early.close();
});
