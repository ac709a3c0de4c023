import { bitcoinIndex, createBlockStore, createWalker, openHeaderChain } from '@hemid/bitcoin';
import type { ExecutedBlock } from '@hemid/hvm';
import { fromHex, signSeal, TUNNEL_ADDRESS, TUNNEL_SUMS_SLOT, toBigEndian, toDepositTransaction, WEI_PER_SAT } from '@hemid/protocol';
import { openMemoryStore } from '@hemid/store';
import { createTestNetwork, type TestNetwork } from '@hemid/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { supplyAfter } from '../src/accounting.ts';
import { type Derivation, openChain } from '../src/index.ts';

describe('the supply after a block', () => {
  const sums = { creditedSats: 5n, requestedSats: 4n, settledSats: 2n, requests: 1n };
  const after = (supplyChange: bigint) => supplyAfter({ supplyChange, tunnel: sums } as ExecutedBlock, { parent: 100n, genesis: 70n });

  test('is what Tunnel has credited and not settled beyond the genesis, or less', () => {
    expect(after(3n * WEI_PER_SAT - 30n)).toBe(3n * WEI_PER_SAT + 70n);
    expect(after(-100n)).toBe(0n);
  });

  test('is not a wei more', () => {
    expect(() => after(3n * WEI_PER_SAT - 29n)).toThrow(
      'all accounts hold 30000000001 wei beyond the genesis, but Tunnel has credited 5 sats and settled 2, which makes 30000000000 wei: 1 too many',
    );
  });
});

describe('a chain', () => {
  let network: TestNetwork;
  beforeAll(async () => {
    network = await createTestNetwork();
  });
  afterAll(() => network.close());

  const deposit = toDepositTransaction({
    txid: new Uint8Array(32).fill(7),
    vout: 0,
    height: 1,
    sats: 9n,
    recipient: new Uint8Array(20).fill(0xab),
    payload: new Uint8Array(),
  });
  /** Overwrites Tunnel's sums after the deposit. */
  const sums = (credited: bigint, settled: bigint) => [
    { address: TUNNEL_ADDRESS, slot: TUNNEL_SUMS_SLOT, value: toBigEndian((settled << 128n) | credited, 32) },
  ];

  /** Opens a chain whose derivation is not the tunnel's, and builds a block on it. */
  async function buildWith(due: Pick<Awaited<ReturnType<Derivation['due']>>, 'transactions' | 'writes'>) {
    const { spec } = network;
    const store = await openMemoryStore();
    const headers = await openHeaderChain(store, spec);
    const blocks = createBlockStore(store);
    const index = createWalker(bitcoinIndex, { store, headers, blocks });
    const derivations: Derivation[] = [{ name: 'another', due: async () => due }];
    const chain = await openChain({
      spec,
      store,
      headers,
      blocks,
      index,
      derivations,
      anchors: { position: async () => undefined, tip: () => headers.best() },
    });
    const parent = chain.head('latest');
    const timestamp = parent.header.timestamp + 1n;
    const choice = { parent, timestamp, beneficiary: new Uint8Array(20), attributes: undefined };
    const building = chain.build(
      choice,
      async () => undefined,
      (hash) => signSeal(fromHex('5e'.repeat(32)), BigInt(spec.genesis.chainId), hash),
    );
    return building.finally(() => store.close());
  }

  test('takes a deposit that Tunnel has credited', async () => {
    await buildWith({ transactions: [deposit], writes: [] });
  });

  test.each([
    ['has not credited', sums(0n, 0n), 9],
    ['has credited a satoshi less', sums(8n, 0n), 1],
    ['has settled in part', sums(9n, 2n), 2],
  ])('refuses coins that Tunnel %s, and says how many', async (_title, writes, sats) => {
    await expect(buildWith({ transactions: [deposit], writes })).rejects.toMatchObject({
      code: 'chain/block-invalid',
      details: { rule: 'supply' },
      message: expect.stringContaining(`: ${BigInt(sats) * WEI_PER_SAT} too many`),
    });
  });
});
