import { bitcoinIndex, createBlockStore, createWalker, openHeaderChain } from '@hemid/bitcoin';
import { type ChainSpec, parseChainSpec, type SealedBlock, toHex } from '@hemid/protocol';
import type { Store } from '@hemid/store';
import { createTestNetwork, devSpecJson, forge, type TestNetwork } from '@hemid/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Chain, openChain } from '../src/index.ts';

let network: TestNetwork;
beforeEach(async () => {
  network = await createTestNetwork();
});
afterEach(() => network.close());

async function open(store: Store, spec: ChainSpec): Promise<Chain> {
  const headers = await openHeaderChain(store, spec);
  const blocks = createBlockStore(store);
  const index = createWalker(bitcoinIndex, { store, headers, blocks });
  return openChain({
    spec,
    store,
    headers,
    blocks,
    index,
    derivations: [],
    anchors: { position: async () => undefined, tip: () => headers.genesis },
  });
}

test('a block whose parent is unknown is for later, and is taken when the parent has come', async () => {
  const verifier = await network.createVerifier();
  const [first, second] = [await network.sequencer.build(), await network.sequencer.build()];
  await expect(verifier.receive(second)).rejects.toMatchObject({ code: 'chain/parent-unknown', severity: 'retry' });
  expect(await verifier.receive(first)).toBe('imported');
  expect(await verifier.receive(second)).toBe('imported');
  expect(await verifier.receive(first)).toBe('known');
  expect(toHex(verifier.node.chain.head('latest').hash)).toBe(toHex(second.hash));
});

test('a block that needs a Bitcoin body that is not here is for later, never invalid', async () => {
  const { bitcoin, sequencer } = network;
  const verifier = await network.createVerifier();
  await bitcoin.mineBlocks(3);
  const block = await sequencer.build();
  // The verifier has not looked at Bitcoin yet: the block itself brings the headers, nobody the bodies.
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await expect(verifier.receive(block)).rejects.toMatchObject({ code: 'bitcoin/block-missing', severity: 'retry' });
    expect(verifier.node.chain.head('latest').header.number).toBe(0n);
  }
  await verifier.look();
  expect(await verifier.receive(block)).toBe('imported');
});

test('a block with a broken rule is still invalid when nothing is missing, and does not stand in the way of the honest one', async () => {
  const { spec, sequencer } = network;
  const verifier = await network.createVerifier();
  const honest = await sequencer.build();
  const forged = forge(spec, honest, (block) => ({ ...block, header: { ...block.header, gasUsed: 1n } }));
  await expect(verifier.receive(forged)).rejects.toMatchObject({
    code: 'chain/block-invalid',
    severity: 'invalid',
    details: { rule: 'header-gasUsed', number: '1', hash: toHex(forged.hash) },
  });
  expect(verifier.node.chain.header(forged.hash)).toBeUndefined();
  expect(await verifier.receive(honest)).toBe('imported');
});

test('a chain that is opened again has its head and its blocks, and goes on', async () => {
  const { spec, sequencer } = network;
  const verifier = await network.createVerifier();
  const built: SealedBlock[] = [];
  for (let i = 0; i < 3; i += 1) built.push(await sequencer.build());
  await verifier.sync();
  const again = await open(verifier.store, spec);
  expect(toHex(again.head('latest').hash)).toBe(toHex((built[2] as SealedBlock).hash));
  expect(again.headerAt(1n)?.hash).toEqual(built[0]?.hash);
  expect(again.block((built[1] as SealedBlock).hash)).toEqual(built[1]);
  const next = await sequencer.build();
  expect(await again.import(next)).toBe('imported');
  expect(toHex(again.head('latest').hash)).toBe(toHex(next.hash));
});

test('a data directory of another spec is refused with both geneses named, and stays as it was', async () => {
  const { spec, bitcoin, sequencer } = network;
  await sequencer.build();
  const json = (await devSpecJson(bitcoin.rpc, spec.genesis.time)) as { genesis: Record<string, unknown> };
  const other = parseChainSpec({ ...json, genesis: { ...json.genesis, chainId: 4_242 } });
  const genesis = toHex(sequencer.node.chain.head('earliest').hash);
  await expect(open(sequencer.store, other)).rejects.toMatchObject({
    code: 'chain/other-spec',
    severity: 'fatal',
    message: expect.stringContaining(genesis),
  });
  expect((await open(sequencer.store, spec)).head('latest').header.number).toBe(1n);
});
