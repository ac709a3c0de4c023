import {
  addressToScript,
  CURSOR_HASH_SLOT,
  CURSOR_NEXT_SLOT,
  concat,
  decodeSystemTransaction,
  fromBigEndian,
  fromDisplay,
  type SealedBlock,
  TUNNEL_ADDRESS,
  TUNNEL_TYPE,
  type TunnelTransaction,
  toBigEndian,
  toDisplay,
  toHex,
  txidOfTunnelTransaction,
  WEI_PER_SAT,
} from '@hemid/protocol';
import { createTestNetwork, type TestNetwork } from '@hemid/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { reportDeposit } from '../src/index.ts';

let network: TestNetwork;
beforeEach(async () => {
  network = await createTestNetwork();
});
afterEach(() => network.close());

const BLOCK_DONE = 0xffffffffn;
const recipientOf = (n: number): Uint8Array => concat(new Uint8Array(18).fill(0xdd), toBigEndian(n, 2));

function tunnelOf({ block }: SealedBlock): TunnelTransaction[] {
  return block.transactions.filter((raw) => raw[0] === TUNNEL_TYPE).map((raw) => decodeSystemTransaction(raw) as TunnelTransaction);
}

/** Pays the vault once for each recipient, all into the next Bitcoin block. */
async function deposit(count: number, first = 0): Promise<void> {
  const { wallet } = network.bitcoin;
  const vault = addressToScript(network.spec.genesis.tunnel.vault, 'regtest') as Uint8Array;
  for (let n = first; n < first + count; n += 1) {
    const script = concat(Uint8Array.of(0x6a, 20), recipientOf(n));
    await wallet.pay({
      outputs: [
        { to: vault, valueSats: 60_000n },
        { to: script, valueSats: 0n },
      ],
    });
  }
}

/** Gives the wallet so many coins, confirmed. */
async function splitCoins(count: number): Promise<void> {
  const { wallet } = network.bitcoin;
  await wallet.pay({ outputs: Array.from({ length: count }, () => ({ to: wallet.addresses.p2wpkh, valueSats: 100_000_000n / BigInt(count) })) });
  await network.bitcoin.mineBlocks(1);
}

/** The cursor after a block: hash in display order, next. */
async function cursorAfter({ block, hash }: SealedBlock): Promise<[hash: string, next: bigint]> {
  const state = network.sequencer.node.chain.stateAt({ header: block.header, hash });
  const slot = (key: Uint8Array): Promise<Uint8Array> => state.storage(TUNNEL_ADDRESS, key);
  return [toHex(await slot(CURSOR_HASH_SLOT)).slice(2), fromBigEndian(await slot(CURSOR_NEXT_SLOT))];
}

const hashAt = async (height: number): Promise<string> => (await network.bitcoin.rpc('getblockhash', [height])) as string;

async function balances(count: number): Promise<(bigint | undefined)[]> {
  const { chain } = network.sequencer.node;
  const state = chain.stateAt(chain.head('latest'));
  return Promise.all(Array.from({ length: count }, async (_, n) => (await state.account(recipientOf(n)))?.balance));
}

test('nothing is due and no cursor is written while the horizon is not above the hVM genesis', async () => {
  await network.bitcoin.mineBlocks(5);
  const early = await network.sequencer.build();
  expect(await cursorAfter(early)).toEqual(['00'.repeat(32), 0n]);
  await network.bitcoin.mineBlocks(1);
  expect(await cursorAfter(await network.sequencer.build())).toEqual([await hashAt(111), BLOCK_DONE]);
});

test('deposits that do not fit go on in the next block, from the middle of a Bitcoin block, and a verifier agrees', async () => {
  const { bitcoin, sequencer } = network;
  await splitCoins(66);
  await deposit(60);
  await bitcoin.mineBlocks(1);
  await deposit(5, 60);
  await bitcoin.mineBlocks(6);
  // Of the budget of 15,000,000 the attributes take 1,000,000: 56 deposits of 250,000 fit.
  const first = await sequencer.build();
  expect(tunnelOf(first)).toHaveLength(56);
  expect(await cursorAfter(first)).toEqual([await hashAt(112), 57n]);
  expect((await balances(65)).filter((balance) => balance !== undefined)).toHaveLength(56);
  const waiting = ((await bitcoin.rpc('getblock', [await hashAt(113)])) as { tx: string[] }).tx.at(-1) as string;
  expect(await reportDeposit(sequencer.node, fromDisplay(waiting))).toMatchObject({ status: 'due', deposit: { sats: 58_000n } });
  // The second block has no attributes: the other four, and the five of the next Bitcoin block.
  const second = await sequencer.build();
  expect(tunnelOf(second)).toHaveLength(9);
  expect(await cursorAfter(second)).toEqual([await hashAt(113), BLOCK_DONE]);
  expect(await balances(65)).toEqual(Array.from({ length: 65 }, () => 58_000n * WEI_PER_SAT));
  expect(tunnelOf(await sequencer.build())).toEqual([]);

  // They stand in the order of Bitcoin.
  const paid = [...tunnelOf(first), ...tunnelOf(second)].map((one) => toDisplay(txidOfTunnelTransaction(one)));
  const order: string[] = [];
  for (const height of [112, 113]) order.push(...((await bitcoin.rpc('getblock', [await hashAt(height)])) as { tx: string[] }).tx.slice(1));
  expect(paid).toEqual(order);

  const verifier = await network.createVerifier();
  await verifier.sync();
  expect(toHex(verifier.node.chain.head('latest').hash)).toBe(toHex(sequencer.node.chain.head('latest').hash));
});

test('a Bitcoin reorg while the cursor is in the middle of a block credits each deposit once', async () => {
  const { bitcoin, sequencer } = network;
  await splitCoins(62);
  await deposit(60);
  await bitcoin.mineBlocks(6);
  expect(tunnelOf(await sequencer.build())).toHaveLength(56);
  const first = await bitcoin.rpc('getblockhash', [112]);
  await bitcoin.rpc('invalidateblock', [first]);
  // The payments are in the mempool again, and come into the new branch.
  await bitcoin.mineBlocks(9);
  await sequencer.build(4);
  expect(await balances(60)).toEqual(Array.from({ length: 60 }, () => 58_000n * WEI_PER_SAT));
  const verifier = await network.createVerifier();
  await verifier.sync();
  expect(toHex(verifier.node.chain.head('latest').hash)).toBe(toHex(sequencer.node.chain.head('latest').hash));
});

test('when a reorg takes the cursor block away the cursor goes back to the common ancestor and walks the new branch', async () => {
  const { bitcoin, sequencer } = network;
  await bitcoin.mineBlocks(8);
  await sequencer.build();
  expect(await cursorAfter(await sequencer.build())).toEqual([await hashAt(113), BLOCK_DONE]);
  const old = await hashAt(113);
  await bitcoin.reorg(7);
  const block = await sequencer.build();
  expect(await hashAt(113)).not.toBe(old);
  expect(await cursorAfter(block)).toEqual([await hashAt(114), BLOCK_DONE]);
});
