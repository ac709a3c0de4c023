import { bitcoinReference } from '@hemid/chain';
import { toDisplay, toHex } from '@hemid/protocol';
import { createTestNetwork } from '@hemid/testkit';
import { expect, test } from 'vitest';

test('Bitcoin headers enter L2 blocks, and a verifier agrees on every root', async () => {
  const network = await createTestNetwork();
  const { bitcoin, sequencer } = network;
  const first = await sequencer.build();
  expect(first.block.transactions).toHaveLength(0);
  await bitcoin.mineBlocks(1);
  const second = await sequencer.build();
  expect(second.block.transactions).toHaveLength(1);
  expect(toDisplay(bitcoinReference(second.block.header))).toBe(await bitcoin.rpc('getbestblockhash', []));
  await bitcoin.mineBlocks(20);
  await sequencer.build(8);
  const verifier = await network.createVerifier();
  await verifier.sync();
  expect(toHex(verifier.node.chain.head('latest').hash)).toBe(toHex(sequencer.node.chain.head('latest').hash));
  await network.close();
});
