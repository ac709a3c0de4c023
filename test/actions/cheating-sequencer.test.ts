import { devKey, devVaultScript } from '@hemid/node';
import {
  ATTRIBUTES_TYPE,
  type Attributes,
  concat,
  decodeAttributes,
  decodePayout,
  decodeSystemTransaction,
  encodeSystemTransaction,
  fromHex,
  hashBitcoinHeader,
  isHemidError,
  type L2Block,
  PAYOUT_TYPE,
  type SealedBlock,
  TUNNEL_TYPE,
  toAttributesTransaction,
  toDepositTransaction,
  toPayoutTransaction,
} from '@hemid/protocol';
import { createTestNetwork, forge, publishKeystone, type TestNetwork, type VerifierActor } from '@hemid/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

let network: TestNetwork;
let verifier: VerifierActor;
/** An honest block with everything in it: a run of headers, a payout, two deposits. The verifier has its parent. */
let honest: SealedBlock;

beforeAll(async () => {
  network = await createTestNetwork();
  const { bitcoin, sequencer } = network;
  const { chain } = sequencer.node;
  await bitcoin.mineBlocks(1);
  await sequencer.build(5);
  await publishKeystone(bitcoin.wallet, chain.keystone(chain.head('latest')));
  await bitcoin.mineBlocks(5);
  for (const last of ['aa', 'bb']) {
    const recipient = concat(Uint8Array.of(0x6a, 20), fromHex(last.padStart(40, '0')));
    await bitcoin.wallet.pay({
      outputs: [
        { to: devVaultScript(), valueSats: 100_000n },
        { to: recipient, valueSats: 0n },
      ],
    });
  }
  await bitcoin.mineBlocks(4);
  await sequencer.build(4);
  await bitcoin.mineBlocks(2);
  verifier = await network.createVerifier();
  await verifier.sync();
  honest = await sequencer.build();
  await verifier.look();
}, 60_000);
afterAll(() => network.close());

const kinds = (block: L2Block): number[] => block.transactions.map((raw) => raw[0] ?? 0);

/** The verifier's verdict on a forged block: the rule that it broke, and the message. */
async function verdict(change: (block: L2Block) => L2Block, key?: Uint8Array): Promise<{ rule: unknown; message: string }> {
  const head = verifier.node.chain.head('latest').hash;
  try {
    await verifier.receive(forge(network.spec, honest, change, key));
  } catch (error) {
    if (!isHemidError(error, 'chain/block-invalid')) throw error;
    expect(error.severity).toBe('invalid');
    expect(verifier.node.chain.head('latest').hash).toEqual(head);
    return { rule: error.details['rule'], message: error.message };
  }
  return { rule: undefined, message: 'the block was accepted' };
}

const editTransactions = (edit: (transactions: Uint8Array[]) => Uint8Array[]) => (block: L2Block) => ({
  ...block,
  transactions: edit(block.transactions),
});
const editRun = (edit: (attributes: Attributes) => Attributes) =>
  editTransactions(([first = new Uint8Array(), ...others]) => {
    const attributes = edit(decodeAttributes(decodeSystemTransaction(first).data));
    return [encodeSystemTransaction(toAttributesTransaction(attributes)), ...others];
  });
const withTip = (headers: Uint8Array[]): Attributes => ({ headers, tip: hashBitcoinHeader(headers[headers.length - 1] ?? new Uint8Array(80)) });

test('the honest block carries headers, a payout and two deposits', () => {
  expect(kinds(honest.block)).toEqual([ATTRIBUTES_TYPE, PAYOUT_TYPE, TUNNEL_TYPE, TUNNEL_TYPE]);
});

test('a block that omits a deposit is refused', async () => {
  const { rule, message } = await verdict(editTransactions((all) => all.slice(0, 3)));
  expect(rule).toBe('derived-missing');
  expect(message).toMatch(/omits the deposit of Bitcoin transaction [0-9a-f]{64}, which is due/);
});

test('a block that invents a deposit is refused', async () => {
  const invented = toDepositTransaction({
    txid: new Uint8Array(32).fill(7),
    vout: 0,
    height: 115,
    sats: 98_000n,
    recipient: new Uint8Array(20).fill(1),
    payload: new Uint8Array(),
  });
  const { rule, message } = await verdict(editTransactions((all) => [...all, encodeSystemTransaction(invented)]));
  expect(rule).toBe('derived-not-due');
  expect(message).toMatch(/contains the deposit of Bitcoin transaction (07){32}, which is not due/);
});

test('a block that changes the recipient of a deposit is refused', async () => {
  const { rule } = await verdict(
    editTransactions((all) => {
      const deposit = decodeSystemTransaction(all[2] as Uint8Array);
      const data = deposit.data.slice();
      data[4 + 5 * 32 - 1] = 0xcc;
      return [...all.slice(0, 2), encodeSystemTransaction({ ...deposit, data }), ...all.slice(3)];
    }),
  );
  expect(rule).toBe('derived-changed');
});

test('a block with its deposits in the wrong order is refused', async () => {
  const { rule } = await verdict(editTransactions(([a, b, c, d]) => [a, b, d, c] as Uint8Array[]));
  expect(rule).toBe('derived-order');
});

test('a block with a deposit before a payout is refused', async () => {
  const { rule } = await verdict(editTransactions(([a, b, c, d]) => [a, c, b, d] as Uint8Array[]));
  expect(rule).toBe('derived-order');
});

test('a block with the same deposit twice is refused', async () => {
  const { rule } = await verdict(editTransactions((all) => [...all, all[3] as Uint8Array]));
  expect(rule).toBe('derived-order');
});

test('a block with a header without proof of work is refused', async () => {
  const { rule, message } = await verdict(
    editRun(({ headers }) => {
      const last = (headers[headers.length - 1] as Uint8Array).slice();
      for (let nonce = 0; (hashBitcoinHeader(last)[31] ?? 0) < 0x80; nonce += 1) last[76] = nonce;
      return withTip([...headers.slice(0, -1), last]);
    }),
  );
  expect(rule).toBe('bitcoin-header-invalid');
  expect(message).toMatch(/proof of work/);
});

test('a block with a run that has no more work than the tip of its parent is refused', async () => {
  const { bitcoin, sequencer } = network;
  const parent = verifier.node.chain.head('latest');
  const tip = verifier.node.chain.viewAt(parent).lightTip;
  // A sibling of the parent's tip: as heavy as the tip, not heavier.
  const sibling = await mineSibling(tip.height);
  const { rule } = await verdict(editRun(() => withTip([sibling])));
  expect(rule).toBe('bitcoin-run-too-light');
  expect(await bitcoin.height()).toBeGreaterThan(tip.height);
  expect(sequencer.node.chain.head('latest').hash).toEqual(honest.hash);
});

/** A valid header at `height` that is not the one of the best chain. */
async function mineSibling(height: number): Promise<Uint8Array> {
  const { bitcoin } = network;
  const hash = (await bitcoin.rpc('getblockhash', [height])) as string;
  const header = fromHex((await bitcoin.rpc('getblockheader', [hash, false])) as string);
  const view = new DataView(header.buffer);
  for (let nonce = view.getUint32(76, true) + 1; ; nonce += 1) {
    view.setUint32(76, nonce, true);
    if ((hashBitcoinHeader(header)[31] ?? 0xff) < 0x7f) return header;
  }
}

test('a block whose claimed tip is not the last header of its run is refused', async () => {
  const { rule } = await verdict(editRun(({ headers }) => ({ headers, tip: hashBitcoinHeader(headers[0] as Uint8Array) })));
  expect(rule).toBe('bitcoin-tip-mismatch');
});

test('a block with an empty run, a broken run, or a run that starts elsewhere is refused', async () => {
  expect((await verdict(editRun(({ tip }) => ({ tip, headers: [] })))).rule).toBe('bitcoin-run-empty');
  expect((await verdict(editRun(({ headers }) => withTip([headers[1], headers[0]] as Uint8Array[])))).rule).toBe('bitcoin-run-broken');
  expect((await verdict(editRun(({ headers }) => withTip(headers.slice(1))))).rule).toBe('bitcoin-run-detached');
});

test('a block that repeats a header of its parent view is refused', async () => {
  const tip = verifier.node.chain.viewAt(verifier.node.chain.head('latest')).ancestor(114);
  const { rule } = await verdict(editRun(() => withTip([tip?.header as Uint8Array])));
  expect(rule).toBe('bitcoin-run-repeats');
});

test('a block with a wrong payout is refused', async () => {
  const { rule, message } = await verdict(
    editTransactions((all) => {
      const payout = decodePayout(decodeSystemTransaction(all[1] as Uint8Array).data);
      const wrong = toPayoutTransaction({ ...payout, amounts: payout.amounts.map((amount) => amount + 1n) });
      return [all[0] as Uint8Array, encodeSystemTransaction(wrong), ...all.slice(2)];
    }),
  );
  expect(rule).toBe('derived-changed');
  expect(message).toMatch(/the PoP payout of keystone 5, but not as it is derived/);
});

test('a block that omits a payout is refused', async () => {
  const { rule, message } = await verdict(editTransactions(([a, , c, d]) => [a, c, d] as Uint8Array[]));
  expect(rule).toBe('derived-missing');
  expect(message).toMatch(/omits the PoP payout of keystone 5/);
});

test('a block with a wrong Bitcoin header reference is refused', async () => {
  const { rule } = await verdict((block) => ({ ...block, header: { ...block.header, extraData: new Uint8Array(32).fill(1) } }));
  expect(rule).toBe('bitcoin-reference');
});

test('a block with a wrong state root, base fee or beneficiary is refused, each by its name', async () => {
  expect((await verdict((block) => ({ ...block, header: { ...block.header, stateRoot: new Uint8Array(32) } }))).rule).toBe('header-stateRoot');
  expect((await verdict((block) => ({ ...block, header: { ...block.header, baseFeePerGas: 1n } }))).rule).toBe('header-baseFeePerGas');
  expect((await verdict((block) => ({ ...block, header: { ...block.header, beneficiary: new Uint8Array(20) } }))).rule).toBe('beneficiary');
});

test('a block sealed by the wrong key is refused', async () => {
  const { rule, message } = await verdict((block) => block, devKey('miner').secret);
  expect(rule).toBe('seal-key');
  expect(message).toMatch(/is sealed by 0x[0-9a-f]{40}, but its slot is that of 0x[0-9a-f]{40}/);
});

test('a block in the slot of its parent is refused', async () => {
  const back = (block: L2Block): L2Block => ({ ...block, header: { ...block.header, timestamp: block.header.timestamp - 1n } });
  expect((await verdict(back)).rule).toBe('slot-order');
});

test('the honest block is accepted in the end', async () => {
  expect(await verifier.receive(honest)).toBe('imported');
});
