import { bitcoinProbe } from '@hemid/contracts';
import { devVaultScript } from '@hemid/node';
import {
  concat,
  decodeSystemTransaction,
  fromHex,
  type Hex,
  TUNNEL_ADDRESS,
  TUNNEL_TYPE,
  toDisplay,
  toHex,
  txidOfTunnelTransaction,
  WEI_PER_SAT,
} from '@hemid/protocol';
import { createTestNetwork, createUser, receiptOf, type TestNetwork } from '@hemid/testkit';
import { decodeFunctionResult, encodeFunctionData } from 'viem';
import { afterEach, beforeEach, expect, test } from 'vitest';

let network: TestNetwork;
beforeEach(async () => {
  network = await createTestNetwork();
});
afterEach(() => network.close());

/** The output that names a recipient and a payload. */
const recipientScript = (address: Hex, payload: Hex = '0x'): Uint8Array => {
  const data = concat(fromHex(address), fromHex(payload));
  return data.length <= 75 ? concat(Uint8Array.of(0x6a, data.length), data) : concat(Uint8Array.of(0x6a, 0x4c, data.length), data);
};

async function read(to: Hex, functionName: string): Promise<unknown> {
  const { chain } = network.sequencer.node;
  const data = encodeFunctionData({ abi: bitcoinProbe.abi, functionName });
  const message = { from: new Uint8Array(20), to: fromHex(to), data: fromHex(data), value: 0n, gas: undefined, gasPrice: undefined };
  const { output } = await chain.simulate(chain.head('latest'), message);
  return decodeFunctionResult({ abi: bitcoinProbe.abi, functionName, data: toHex(output) });
}

test('a deposit with calldata is credited after six confirmations, not before, and the call arrives', async () => {
  const { bitcoin, sequencer } = network;
  const user = createUser(sequencer.node, 0);
  const probe = await user.deploy(bitcoinProbe);
  await sequencer.build();

  const script = devVaultScript();
  const { txid } = await bitcoin.wallet.pay({
    outputs: [
      { to: script, valueSats: 1_000_000n },
      { to: recipientScript(probe, '0xc0ffee'), valueSats: 0n },
    ],
  });
  await bitcoin.mineBlocks(5);
  await sequencer.build();
  expect(await read(probe, 'lastValue')).toBe(0n);

  await bitcoin.mineBlocks(1);
  const block = await sequencer.build();
  const deposits = block.block.transactions.filter((raw) => raw[0] === TUNNEL_TYPE);
  expect(deposits).toHaveLength(1);
  const deposit = decodeSystemTransaction(deposits[0] as Uint8Array);
  expect(deposit.type === TUNNEL_TYPE && toDisplay(txidOfTunnelTransaction(deposit))).toBe(txid);
  expect(await read(probe, 'lastValue')).toBe(998_000n * WEI_PER_SAT);
  expect(await read(probe, 'lastData')).toBe('0xc0ffee');

  const after = await sequencer.build();
  expect(after.block.transactions.filter((raw) => raw[0] === TUNNEL_TYPE)).toHaveLength(0);
  const verifier = await network.createVerifier();
  await verifier.sync();
  expect(toHex(verifier.node.chain.head('latest').hash)).toBe(toHex(after.hash));
});

test('payments that are no deposits are not credited: no recipient, below the minimum, a recipient behind the eighth output', async () => {
  const { bitcoin, sequencer } = network;
  const vault = devVaultScript();
  const someone = '0x00000000000000000000000000000000000000aa' as const;
  await bitcoin.wallet.pay({ outputs: [{ to: vault, valueSats: 1_000_000n }] });
  await bitcoin.mineBlocks(1);
  await bitcoin.wallet.pay({
    outputs: [
      { to: vault, valueSats: 49_999n },
      { to: recipientScript(someone), valueSats: 0n },
    ],
  });
  await bitcoin.mineBlocks(1);
  const fillers = Array.from({ length: 7 }, () => ({ to: bitcoin.wallet.scripts.p2wpkh, valueSats: 1_000n }));
  await bitcoin.wallet.pay({ outputs: [{ to: vault, valueSats: 1_000_000n }, ...fillers, { to: recipientScript(someone), valueSats: 0n }] });
  await bitcoin.mineBlocks(8);
  await sequencer.build(3);
  const { chain } = sequencer.node;
  expect(await chain.stateAt(chain.head('latest')).account(fromHex(someone))).toBeUndefined();

  await bitcoin.wallet.pay({
    outputs: [
      { to: vault, valueSats: 50_000n },
      { to: recipientScript(someone), valueSats: 0n },
    ],
  });
  await bitcoin.mineBlocks(6);
  await sequencer.build();
  expect((await chain.stateAt(chain.head('latest')).account(fromHex(someone)))?.balance).toBe(48_000n * WEI_PER_SAT);
});

test('a deposit that a deep Bitcoin reorg moves to another block is credited once', async () => {
  const { bitcoin, sequencer } = network;
  const someone = '0x00000000000000000000000000000000000000bb' as const;
  await bitcoin.wallet.pay({
    outputs: [
      { to: devVaultScript(), valueSats: 1_000_000n },
      { to: recipientScript(someone), valueSats: 0n },
    ],
  });
  await bitcoin.mineBlocks(6);
  await sequencer.build();
  const { chain } = sequencer.node;
  const balance = async (): Promise<bigint | undefined> => (await chain.stateAt(chain.head('latest')).account(fromHex(someone)))?.balance;
  expect(await balance()).toBe(998_000n * WEI_PER_SAT);
  await bitcoin.reorg(6);
  await sequencer.build();
  await bitcoin.mineBlocks(7);
  await sequencer.build(3);
  expect(await balance()).toBe(998_000n * WEI_PER_SAT);
  const verifier = await network.createVerifier();
  await verifier.sync();
  expect(toHex(verifier.node.chain.head('latest').hash)).toBe(toHex(chain.head('latest').hash));
});

test('a spend of the vault is reported to the predeploy as a breach', async () => {
  const { bitcoin, sequencer } = network;
  const { devKey } = await import('@hemid/node');
  const { buildTransaction, coinOf, multisigOf, signTransaction } = await import('@hemid/testkit');
  const keys = [1, 2, 3].map((i) => devKey(`custodian ${i}`));
  const vault = multisigOf(2, keys.map((key) => key.publicKey).sort(Buffer.compare));
  const { tx } = await bitcoin.wallet.pay({ outputs: [{ to: vault.script, valueSats: 1_000_000n }] });
  await bitcoin.mineBlocks(1);
  const coin = coinOf(
    tx,
    tx.outs.findIndex((out) => out.value === 1_000_000n),
    vault.witnessScript,
  );
  const spend = buildTransaction({ inputs: [coin], outputs: [{ to: bitcoin.wallet.scripts.p2wpkh, valueSats: 990_000n }] });
  const signed = signTransaction(spend, [coin], [keys[0]?.secret as Uint8Array, keys[1]?.secret as Uint8Array]);
  await bitcoin.rpc('sendrawtransaction', [signed.toHex()]);
  await bitcoin.mineBlocks(6);
  const block = await sequencer.build();
  const raw = block.block.transactions.find((one) => one[0] === TUNNEL_TYPE);
  expect(raw).toBeDefined();
  const { keccak256 } = await import('viem');
  const receipt = receiptOf(sequencer.node, keccak256(raw as Uint8Array));
  expect(receipt?.succeeded).toBe(true);
  expect(receipt?.logs.map((log) => toHex(log.address))).toEqual([toHex(TUNNEL_ADDRESS)]);
});
