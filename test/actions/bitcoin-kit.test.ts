import { bitcoinKit } from '@hemid/contracts';
import { BITCOIN_KIT_ADDRESS, fromHex, toHex } from '@hemid/protocol';
import { createTestNetwork, type TestNetwork } from '@hemid/testkit';
import {
  type Abi,
  type AbiFunction,
  decodeErrorResult,
  decodeFunctionResult,
  encodeFunctionData,
  type Hex,
  toFunctionSelector,
  toFunctionSignature,
} from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BitcoinAnswers, createBitcoinAnswers, type KitScene, NOBODY, PAYLOAD, playKitScene } from '../kit-scene.ts';

const UNKNOWN: Hex = `0x${'ab'.repeat(32)}`;
/** A transaction's input may be asked for its whole script. */
const WHOLE = 65_535;

let network: TestNetwork;
let scene: KitScene;
let answers: BitcoinAnswers;
/** Functions that the tests called and got an answer from. */
const called = new Set<string>();

beforeAll(async () => {
  network = await createTestNetwork();
  const { bitcoin, sequencer } = network;
  await sequencer.build();
  scene = await playKitScene({ rpc: bitcoin.rpc, wallet: bitcoin.wallet, mine: () => bitcoin.mine({ count: 1, address: NOBODY }) });
  answers = createBitcoinAnswers(bitcoin.rpc, scene);
  await sequencer.build(3);
});
afterAll(() => network.close());

const id = (txid: string): Hex => `0x${txid}`;

/** Calls one function of the kit, on the state of an L2 block; the error is the text that it reverts with. */
async function callAt(number: bigint | 'latest', signature: string, args: unknown[]): Promise<unknown> {
  const { chain } = network.sequencer.node;
  const block = number === 'latest' ? chain.head('latest') : chain.headerAt(number);
  const selector = toFunctionSelector(signature);
  const abi: Abi = bitcoinKit.abi.filter((entry) => entry.type === 'function' && toFunctionSelector(entry) === selector);
  const functionName = signature.slice(0, signature.indexOf('('));
  const data = fromHex(encodeFunctionData({ abi, functionName, args }));
  if (block === undefined) throw new Error(`there is no block ${number}`);
  const message = { from: new Uint8Array(20), to: BITCOIN_KIT_ADDRESS, data, value: 0n, gas: undefined, gasPrice: undefined };
  const { succeeded, output } = await chain.simulate(block, message);
  if (!succeeded) throw new Error(String(decodeErrorResult({ abi: [], data: toHex(output) }).args?.[0]));
  called.add(signature);
  return decodeFunctionResult({ abi, functionName, data: toHex(output) });
}

const call = (signature: string, ...args: unknown[]): Promise<unknown> => callAt('latest', signature, args);

describe('the Bitcoin kit on Bitcoin itself', () => {
  test('gives the balance of every kind of address', async () => {
    for (const kind of ['p2pkh', 'p2wpkh', 'p2tr'] as const) {
      const unspent = await answers.unspent(scene.reader.scripts[kind]);
      const sats = unspent.reduce((sum, { value }) => sum + value, 0n);
      expect(sats, kind).toBeGreaterThan(0n);
      expect(await call('getBitcoinAddressBalance(string)', scene.reader.addresses[kind]), kind).toBe(sats);
    }
    await expect(call('getBitcoinAddressBalance(string)', 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4')).rejects.toThrow('Bitcoin address not valid');
  });

  test('knows which addresses are of its network', async () => {
    expect(await call('isAddressValid(string)', scene.reader.addresses.p2tr)).toBe(true);
    expect(await call('isAddressValid(string)', 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4')).toBe(false);
    expect(await call('isAddressValid(string)', '')).toBe(false);
  });

  test('gives the script of an address', async () => {
    for (const kind of ['p2pkh', 'p2wpkh', 'p2tr'] as const) {
      expect(await call('getScriptForAddress(string)', scene.reader.addresses[kind]), kind).toBe(toHex(scene.reader.scripts[kind]));
    }
    await expect(call('getScriptForAddress(string)', `${scene.reader.addresses.p2pkh}1`)).rejects.toThrow('Bitcoin address not valid');
  });

  test('lists unspent outputs in their order, page by page', async () => {
    const address = scene.reader.addresses.p2wpkh;
    const all = await answers.unspent(scene.reader.scripts.p2wpkh);
    expect(all).toHaveLength(3);
    expect(await call('getUTXOsForBitcoinAddress(string,uint32,uint32)', address, 0, 10)).toEqual(all);
    expect(await call('getUTXOsForBitcoinAddress(string,uint256,uint256)', address, 0n, 0n)).toEqual(all);
    expect(await call('getUTXOsForBitcoinAddress(string,uint32,uint32)', address, 1, 1)).toEqual(all.slice(1, 2));
    expect(await call('getUTXOsForBitcoinAddress(string,uint256,uint256)', address, 2n, 255n)).toEqual(all.slice(2));
    expect(await call('getUTXOsForBitcoinAddress(string,uint32,uint32)', address, 3, 10)).toEqual([]);
    await expect(call('getUTXOsForBitcoinAddress(string,uint32,uint32)', 'nobody at all, and long enough', 0, 1)).rejects.toThrow(
      'Bitcoin address not valid',
    );
  });

  test('reads transactions whole', async () => {
    const spend = await answers.transaction(scene.spend);
    expect(spend.inputs.map(({ witnessElements, containsFullScriptSig }) => ({ witnessElements, containsFullScriptSig }))).toEqual([
      { witnessElements: 0n, containsFullScriptSig: false },
      { witnessElements: 1n, containsFullScriptSig: true },
    ]);
    expect(spend.outputs.map(({ isSpent }) => isSpent)).toEqual([true, false, false, false]);
    expect(await call('getTransactionByTxId(bytes32)', id(scene.spend))).toEqual(spend);
    expect(await call('getTransactionByTxId(bytes32)', id(scene.last))).toEqual(await answers.transaction(scene.last));
  });

  test('reads inputs and outputs apart, and counts them', async () => {
    expect(await call('getTransactionInputsByTxId(bytes32)', id(scene.spend))).toEqual(await answers.inputs(scene.spend));
    expect(await call('getTransactionOutputsByTxId(bytes32)', id(scene.spend))).toEqual(await answers.outputs(scene.spend));
    expect(await call('getTransactionOutputsByTxId(bytes32)', id(scene.funding))).toEqual(await answers.outputs(scene.funding));
    expect(await call('getTxInputCount(bytes32)', id(scene.spend))).toBe(2);
    expect(await call('getTxOutputCount(bytes32)', id(scene.spend))).toBe(4);
  });

  test('reads one input and one output with the whole script', async () => {
    const inputs = await answers.inputs(scene.spend, WHOLE);
    expect(inputs[0]?.fullScriptSigLength).toBeGreaterThan(64n);
    for (const [i, input] of inputs.entries()) expect(await call('getSpecificTxInput(bytes32,uint32)', id(scene.spend), i)).toEqual(input);
    const outputs = await answers.outputs(scene.spend, WHOLE);
    expect(outputs[1]).toMatchObject({ isOpReturn: true, opReturnData: PAYLOAD });
    for (const [i, output] of outputs.entries()) expect(await call('getSpecificTxOutput(bytes32,uint32)', id(scene.spend), i)).toEqual(output);
    await expect(call('getSpecificTxInput(bytes32,uint32)', id(scene.spend), 2)).rejects.toThrow('Bitcoin input not found');
    await expect(call('getSpecificTxOutput(bytes32,uint32)', id(scene.spend), 4)).rejects.toThrow('Bitcoin output not found');
    await expect(call('getSpecificTxOutput(bytes32,uint32)', id(scene.spend), 65_536)).rejects.toThrow('Bitcoin output not found');
  });

  test('knows coinbases and transactions with coins of unknown origin, but not their inputs', async () => {
    const block = (await network.bitcoin.rpc('getblock', [scene.blockOf[scene.last], 1])) as { tx: string[] };
    for (const txid of [block.tx[0] ?? '', scene.funding]) {
      expect(await call('transactionExists(bytes32)', id(txid))).toBe(true);
      await expect(call('getTransactionByTxId(bytes32)', id(txid))).rejects.toThrow('Bitcoin input value unknown');
      expect(await call('getSpecificTxOutput(bytes32,uint32)', id(txid), 0)).toMatchObject({ containsFullScript: true, isOpReturn: false });
    }
    expect(await call('transactionExists(bytes32)', UNKNOWN)).toBe(false);
    await expect(call('getTransactionByTxId(bytes32)', UNKNOWN)).rejects.toThrow('Bitcoin transaction not found');
  });

  test('counts confirmations', async () => {
    for (const txid of [scene.funding, scene.spend, scene.last]) {
      expect(await call('getTxConfirmations(bytes32)', id(txid))).toBe(await answers.confirmations(txid));
    }
    await expect(call('getTxConfirmations(bytes32)', UNKNOWN)).rejects.toThrow('Bitcoin transaction not found');
  });

  test('reads headers', async () => {
    expect(await call('getLastHeader()')).toEqual(await answers.header(scene.height));
    expect(await call('getHeaderN(uint32)', scene.height - 2)).toEqual(await answers.header(scene.height - 2));
    await expect(call('getHeaderN(uint32)', scene.height + 1)).rejects.toThrow('Bitcoin header not found');
  });

  test('at an earlier L2 block answers with the Bitcoin of that block', async () => {
    const before = (args: unknown[], signature: string) => callAt(1n, signature, args);
    expect(await before([scene.reader.addresses.p2wpkh], 'getBitcoinAddressBalance(string)')).toBe(0n);
    expect(await before([scene.reader.addresses.p2wpkh, 0, 10], 'getUTXOsForBitcoinAddress(string,uint32,uint32)')).toEqual([]);
    expect(await before([id(scene.spend)], 'transactionExists(bytes32)')).toBe(false);
    expect(await before([], 'getLastHeader()')).toEqual(await answers.header(scene.height - 3));
    await expect(before([id(scene.spend)], 'getTxConfirmations(bytes32)')).rejects.toThrow('Bitcoin transaction not found');
  });

  test('has no function that was not called here', () => {
    const functions = bitcoinKit.abi.filter((entry): entry is AbiFunction => entry.type === 'function');
    expect([...called].sort()).toEqual(functions.map((entry) => toFunctionSignature(entry)).sort());
  });
});

test('the kit stands in the genesis as it was compiled, without storage', () => {
  expect(network.spec.genesis.allocation[toHex(BITCOIN_KIT_ADDRESS)]).toEqual({ nonce: 1, code: fromHex(bitcoinKit.deployedBytecode) });
});
