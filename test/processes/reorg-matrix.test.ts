import { isKeystone } from '@hemid/chain';
import { bitcoinProbe } from '@hemid/contracts';
import { devVaultScript } from '@hemid/node';
import { abbreviate, concat, encodePopScript, fromHex, type Hex, toHex } from '@hemid/protocol';
import {
  type BitcoinActor,
  type Bitcoind,
  createBitcoinWallet,
  createRealBitcoin,
  createTestNetwork,
  createUser,
  STRANGER,
  spendOtherwise,
  startBitcoind,
  type TestNetwork,
  type VerifierActor,
} from '@hemid/testkit';
import type { Transaction } from 'bitcoinjs-lib';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** `npm test` takes a sample of the depths, `npm run test:long` all of them. */
const DEPTHS = process.env['HEMID_LONG'] === '1' ? Array.from({ length: 20 }, (_, i) => i + 1) : [1, 2, 3, 7, 20];
const KINDS = ['header only', 'state read by a contract', 'deposit confirmed then gone', 'publication dropped', 'publication moved'] as const;
type Kind = (typeof KINDS)[number];

let bitcoind: Bitcoind;
let bitcoin: BitcoinActor;
let network: TestNetwork;
let verifiers: VerifierActor[];
let probe: Hex;

beforeAll(async () => {
  bitcoind = await startBitcoind();
  bitcoin = await createRealBitcoin(bitcoind.rpc);
  network = await createTestNetwork({ bitcoin });
  verifiers = [await network.createVerifier(), await network.createVerifier()];
  probe = await createUser(network.sequencer.node, 0).deploy(bitcoinProbe);
  await network.sequencer.build();
}, 120_000);
afterAll(async () => {
  await network.close();
  await bitcoind.stop();
});

/** Mines blocks that hold exactly these transactions (in the first) and nothing else of the mempool. */
async function mineOnly(count: number, address: string, transactions: string[] = []): Promise<void> {
  for (let i = 0; i < count; i += 1) await bitcoin.rpc('generateblock', [address, i === 0 ? transactions : []]);
}

/** Builds up to a keystone and gives its script. */
async function keystoneScript(): Promise<Uint8Array> {
  const { node } = network.sequencer;
  do await network.sequencer.build();
  while (!isKeystone(network.spec, node.chain.head('latest').header.number));
  return encodePopScript(abbreviate(node.chain.keystone(node.chain.head('latest'))));
}

/** The transaction that a kind puts into the first of the blocks that are lost. */
async function pay(kind: Kind, someone: string): Promise<Transaction | undefined> {
  if (kind === 'header only') return undefined;
  if (kind === 'state read by a contract') return (await bitcoin.wallet.pay({ outputs: [{ to: someone, valueSats: 77_000n }] })).tx;
  if (kind === 'deposit confirmed then gone') {
    const name = concat(Uint8Array.of(0x6a, 20), fromHex(probe));
    return (
      await bitcoin.wallet.pay({
        outputs: [
          { to: devVaultScript(), valueSats: 100_000n },
          { to: name, valueSats: 0n },
        ],
      })
    ).tx;
  }
  return (await bitcoin.wallet.pay({ outputs: [{ to: await keystoneScript(), valueSats: 0n }] })).tx;
}

async function record(someone: string): Promise<void> {
  await createUser(network.sequencer.node, 0).transact({ address: probe, abi: bitcoinProbe.abi }, 'record', [someone]);
}

/** The other branch: the transaction is gone for good, or stands one block later. */
async function replace(depth: number, kind: Kind, tx: Transaction | undefined): Promise<void> {
  const first = await bitcoin.rpc('getblockhash', [(await bitcoin.height()) - depth + 1]);
  await bitcoin.rpc('invalidateblock', [first]);
  if (tx === undefined) return mineOnly(depth + 1, STRANGER);
  if (kind === 'publication moved') {
    await mineOnly(1, STRANGER);
    return mineOnly(depth, STRANGER, [tx.toHex()]);
  }
  const rival = await spendOtherwise(bitcoin.rpc, bitcoin.wallet, tx);
  return mineOnly(depth + 1, STRANGER, [rival]);
}

async function expectEqualRoots(): Promise<void> {
  const head = network.sequencer.node.chain.head('latest');
  for (const verifier of verifiers) {
    await verifier.sync();
    const theirs = verifier.node.chain.head('latest');
    expect({ number: theirs.header.number, hash: toHex(theirs.hash), root: toHex(theirs.header.stateRoot) }).toEqual({
      number: head.header.number,
      hash: toHex(head.hash),
      root: toHex(head.header.stateRoot),
    });
    expect(theirs.header.extraData).toEqual(head.header.extraData);
    expect(verifier.node.chain.head('safe').header.number).toBe(network.sequencer.node.chain.head('safe').header.number);
  }
}

for (const depth of DEPTHS) {
  for (const kind of KINDS) {
    test(`a Bitcoin reorg of depth ${depth}, ${kind}: sequencer and verifiers end on equal roots`, async () => {
      const { sequencer } = network;
      const someone = createBitcoinWallet({ rpc: bitcoin.rpc, secret: `${depth} ${kind}` }).addresses.p2wpkh;
      await bitcoin.mineBlocks(1);
      const tx = await pay(kind, someone);
      await mineOnly(depth, bitcoin.wallet.addresses.p2wpkh, tx === undefined ? [] : [tx.toHex()]);
      await record(someone);
      await sequencer.build(2);
      await verifiers[0]?.sync();
      const lost = sequencer.node.chain.head('latest').header.extraData;

      await replace(depth, kind, tx);
      await record(someone);
      await sequencer.build(2);
      expect(sequencer.node.chain.head('latest').header.extraData).not.toEqual(lost);
      expect(toHex(sequencer.node.chain.head('latest').header.extraData)).toBe(`0x${await bitcoin.rpc('getbestblockhash', [])}`);
      await expectEqualRoots();
    }, 60_000);
  }
}

test('verifiers that sync from genesis afterwards get the same roots; one whose Bitcoin never saw the lost branches waits until they are buried', async () => {
  verifiers.push(await network.createVerifier());
  await expectEqualRoots();

  // A second bitcoind is given the best chain alone.
  const second = await startBitcoind();
  try {
    const feed = async (): Promise<void> => {
      for (let h = ((await second.rpc('getblockcount', [])) as number) + 1; h <= (await bitcoin.height()); h += 1) {
        await second.rpc('submitblock', [await bitcoin.rpc('getblock', [await bitcoin.rpc('getblockhash', [h]), 0])]);
      }
    };
    await feed();
    const late = await network.createVerifier(second.rpc);
    // The reorgs of this run happened less than a hundred blocks below the tip for the last ones: it must wait.
    await expect(late.sync()).rejects.toThrow(
      /needs Bitcoin block [0-9a-f]{64}, which this node's Bitcoin node does not know: waiting until it does, or until its own chain reaches height \d+/,
    );
    await bitcoin.mineBlocks(110);
    await feed();
    await network.sequencer.build(8);
    await late.sync();
    verifiers = [late];
    await expectEqualRoots();
  } finally {
    await second.stop();
  }
}, 180_000);
