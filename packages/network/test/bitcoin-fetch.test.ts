import { type BitcoinSource, type BlockStore, createBlockStore, createRpcSource, type HeaderChain, openHeaderChain } from '@hemid/bitcoin';
import { fromDisplay, fromHex } from '@hemid/protocol';
import { silentLogger } from '@hemid/runtime';
import { openMemoryStore } from '@hemid/store';
import { createTestNetwork, type TestNetwork } from '@hemid/testkit';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { fetchBitcoinBlock, type Upstream } from '../src/index.ts';

let network: TestNetwork;
/** A block above the hVM genesis, and another one. */
let wanted: { hash: Uint8Array; raw: Uint8Array };
let other: { hash: Uint8Array; raw: Uint8Array };
beforeAll(async () => {
  network = await createTestNetwork();
  await network.bitcoin.mineBlocks(2);
  [wanted, other] = [await blockAt(111), await blockAt(112)];
});
afterAll(() => network.close());

let blocks: BlockStore;
let headers: HeaderChain;
/** Hashes that the upstream was asked for. */
let asked: Uint8Array[];
beforeEach(async () => {
  const store = await openMemoryStore();
  blocks = createBlockStore(store);
  headers = await openHeaderChain(store, network.spec);
  asked = [];
});

async function blockAt(height: number): Promise<{ hash: Uint8Array; raw: Uint8Array }> {
  const { rpc } = network.bitcoin;
  const hash = (await rpc('getblockhash', [height])) as string;
  return { hash: fromDisplay(hash), raw: fromHex((await rpc('getblock', [hash, 0])) as string) };
}

const upstreamWith = (raw: Uint8Array | undefined): Upstream => ({
  sealedBlocks: async () => [],
  sendTransaction: async () => new Uint8Array(),
  async bitcoinBlock(hash) {
    asked.push(hash);
    return raw;
  },
});

/** The network's Bitcoin node, or one that lacks bodies or does not even know the header. */
function source(kind: 'has' | 'knows' | 'ignorant'): BitcoinSource {
  const whole = createRpcSource(network.bitcoin.rpc);
  if (kind === 'has') return whole;
  return { ...whole, block: async () => undefined, ...(kind === 'knows' ? {} : { knows: async () => false }) };
}

/** The same header chain as seen when the best header stands at a height. */
const bestAt = (height: number): HeaderChain => ({ ...headers, best: () => ({ ...headers.best(), height }) });

const fetch = (
  kind: 'has' | 'knows' | 'ignorant',
  change: { upstream?: Upstream; headers?: HeaderChain; tipHeight?: number } = {},
): Promise<boolean> =>
  fetchBitcoinBlock(
    { source: source(kind), headers: change.headers ?? headers, blocks, upstream: change.upstream ?? upstreamWith(wanted.raw), log: silentLogger },
    { hash: wanted.hash, tipHeight: change.tipHeight ?? 113 },
  );

test('a body comes from the own source if that has it, and nobody else is asked', async () => {
  expect(await fetch('has')).toBe(true);
  expect(blocks.has(wanted.hash)).toBe(true);
  expect(asked).toEqual([]);
});

test('a body that the own source knows only by its header comes from the upstream', async () => {
  expect(await fetch('knows')).toBe(true);
  expect(blocks.readRaw(wanted.hash)).toEqual(wanted.raw);
  expect(asked).toEqual([wanted.hash]);
});

test('a body of which the own source knows nothing is not taken from the upstream, which is not even asked', async () => {
  expect(await fetch('ignorant')).toBe(false);
  expect(asked).toEqual([]);
  expect(blocks.has(wanted.hash)).toBe(false);
});

test('it is taken when the own chain stands a hundred blocks above the tip of the L2 block, and not one block earlier', async () => {
  expect(await fetch('ignorant', { headers: bestAt(212) })).toBe(false);
  expect(await fetch('ignorant', { headers: bestAt(213) })).toBe(true);
  expect(blocks.has(wanted.hash)).toBe(true);
});

test('a body that nobody has is not there', async () => {
  expect(await fetch('knows', { upstream: upstreamWith(undefined) })).toBe(false);
});

test('another block than the one asked for is not kept, for the own source has not vouched for it', async () => {
  expect(await fetch('knows', { upstream: upstreamWith(other.raw) })).toBe(false);
  expect(blocks.has(other.hash)).toBe(false);
});

test('a body that does not belong to its header is no answer: it says nothing about the L2 block that needs it', async () => {
  const damaged = wanted.raw.slice();
  damaged[damaged.length - 1] = (damaged[damaged.length - 1] ?? 0) ^ 1;
  expect(await fetch('knows', { upstream: upstreamWith(damaged) })).toBe(false);
  expect(blocks.has(wanted.hash)).toBe(false);
  expect(await fetch('knows', { upstream: upstreamWith(new Uint8Array()) })).toBe(false);
});
