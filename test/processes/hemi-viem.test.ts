import type { EmbeddedRegtest } from '@hemid/bitcoin';
import { bitcoinKit } from '@hemid/contracts';
import { BITCOIN_KIT_ADDRESS, toHex } from '@hemid/protocol';
import { waitFor } from '@hemid/testkit';
import { getBtcFinalityByBlockHash, hemiPublicBitcoinKitActions } from 'hemi-viem';
import { bitcoinKitTxsAbi } from 'hemi-viem/contracts';
import { type Abi, type AbiFunction, type AbiParameter, type Client, createPublicClient, defineChain, http, toFunctionSelector } from 'viem';
import { readContract } from 'viem/actions';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BitcoinAnswers, createBitcoinAnswers, type KitScene, NOBODY, playKitScene } from '../kit-scene.ts';
import { createPrograms, type Programs, serveEmbeddedBitcoin } from '../program-scene.ts';

const bitcoinKitAddress = toHex(BITCOIN_KIT_ADDRESS);

let bitcoin: EmbeddedRegtest;
let programs: Programs;
let scene: KitScene;
let answers: BitcoinAnswers;
let url: string;

beforeAll(async () => {
  const served = await serveEmbeddedBitcoin();
  const { wallet } = served;
  bitcoin = served.bitcoin;
  programs = await createPrograms('viem', { rpc: bitcoin.rpc, url: served.url });
  scene = await playKitScene({ rpc: bitcoin.rpc, wallet, mine: () => bitcoin.mine({ count: 1, address: NOBODY }) });
  answers = createBitcoinAnswers(bitcoin.rpc, scene);

  const node = await programs.start('data');
  url = node.url;
  await waitFor(async () => (await createHemiClient().getLastHeader({ bitcoinKitAddress })).height === scene.height, {
    timeoutMs: 30_000,
    what: () => `the node to see Bitcoin's block ${scene.height}; so far:\n${node.program.output()}`,
  });
});
afterAll(async () => {
  await programs?.close();
  await bitcoin?.close();
});

/** A client as the library's own readme makes it. */
const createHemiClient = () => createPublicClient({ transport: http(url) }).extend(hemiPublicBitcoinKitActions());

describe('hemi-viem reads Bitcoin through the kit', () => {
  test('balances', async () => {
    for (const kind of ['p2pkh', 'p2wpkh', 'p2tr'] as const) {
      const unspent = await answers.unspent(scene.reader.scripts[kind]);
      const sats = unspent.reduce((sum, { value }) => sum + value, 0n);
      expect(sats, kind).toBeGreaterThan(0n);
      const btcAddress = scene.reader.addresses[kind];
      expect(await createHemiClient().getBitcoinAddressBalance({ bitcoinKitAddress, btcAddress }), kind).toBe(sats);
    }
    const stranger = { bitcoinKitAddress, btcAddress: 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4' };
    await expect(createHemiClient().getBitcoinAddressBalance(stranger)).rejects.toThrow('Bitcoin address not valid');
  });

  test('unspent outputs', async () => {
    const btcAddress = scene.reader.addresses.p2wpkh;
    const unspent = await answers.unspent(scene.reader.scripts.p2wpkh);
    expect(unspent).toHaveLength(3);
    const page = { bitcoinKitAddress, btcAddress, pageNumber: 0, pageSize: 100 };
    expect(await createHemiClient().getUtxosForBitcoinAddress(page)).toEqual(unspent);
    expect(await createHemiClient().getUtxosForBitcoinAddress({ ...page, pageNumber: 1, pageSize: 2 })).toEqual(unspent.slice(1));
  });

  test('transactions', async () => {
    for (const txId of [scene.spend, scene.last]) {
      expect(await createHemiClient().getTransactionByTxId({ bitcoinKitAddress, txId })).toEqual(await answers.transaction(txId));
    }
    const unknown = { bitcoinKitAddress, txId: 'ab'.repeat(32) };
    await expect(createHemiClient().getTransactionByTxId(unknown)).rejects.toThrow('Bitcoin transaction not found');
  });

  test('confirmations', async () => {
    for (const txId of [scene.funding, scene.spend, scene.last]) {
      expect(await createHemiClient().getTxConfirmations({ bitcoinKitAddress, txId })).toBe(await answers.confirmations(txId));
    }
    const unknown = { bitcoinKitAddress, txId: 'ab'.repeat(32) };
    await expect(createHemiClient().getTxConfirmations(unknown)).rejects.toThrow('Bitcoin transaction not found');
  });

  test('headers', async () => {
    expect(await createHemiClient().getLastHeader({ bitcoinKitAddress })).toEqual(await answers.header(scene.height));
    for (const height of [scene.height - 3, scene.height - 1]) {
      expect(await createHemiClient().getHeaderN({ bitcoinKitAddress, height })).toEqual(await answers.header(height));
    }
    await expect(createHemiClient().getHeaderN({ bitcoinKitAddress, height: scene.height + 1 })).rejects.toThrow('Bitcoin header not found');
  });

  test('what its ABI has and its actions have not: inputs, outputs, scripts, counts', async () => {
    const client: Client = createHemiClient();
    const kit = { abi: bitcoinKitTxsAbi, address: bitcoinKitAddress } as const;
    const txId = `0x${scene.spend}` as const;
    const inputs = await answers.inputs(scene.spend, 65_535);
    const outputs = await answers.outputs(scene.spend, 65_535);
    for (const [i, input] of inputs.entries()) {
      expect(await readContract(client, { ...kit, functionName: 'getSpecificTxInput', args: [txId, i] })).toEqual(input);
    }
    for (const [i, output] of outputs.entries()) {
      expect(await readContract(client, { ...kit, functionName: 'getSpecificTxOutput', args: [txId, i] })).toEqual(output);
    }
    expect(await readContract(client, { ...kit, functionName: 'getTxInputCount', args: [txId] })).toBe(inputs.length);
    expect(await readContract(client, { ...kit, functionName: 'getTxOutputCount', args: [txId] })).toBe(outputs.length);
    expect(await readContract(client, { ...kit, functionName: 'transactionExists', args: [txId] })).toBe(true);
    const { addresses, scripts } = scene.reader;
    expect(await readContract(client, { ...kit, functionName: 'getScriptForAddress', args: [addresses.p2tr] })).toBe(toHex(scripts.p2tr));
    expect(await readContract(client, { ...kit, functionName: 'isAddressValid', args: [addresses.p2pkh] })).toBe(true);
  });
});

test('every function of its ABI stands in ours with the same fields and types', () => {
  type Field = { name: string | undefined; type: string; components?: Field[] };
  /** What an answer is decoded by: the names and types of its fields, in their order. */
  const toField = (parameter: AbiParameter): Field => {
    const { name, type } = parameter;
    return 'components' in parameter ? { name, type, components: parameter.components.map(toField) } : { name, type };
  };
  const outputsOf = (abi: Abi) =>
    new Map(
      abi
        .filter((entry): entry is AbiFunction => entry.type === 'function')
        // The name of a single answer outside a struct is decoration.
        .map((entry) => [toFunctionSelector(entry), entry.outputs.map((output) => ({ ...toField(output), name: '' }))]),
    );
  const ours = outputsOf(bitcoinKit.abi);
  const theirs = outputsOf(bitcoinKitTxsAbi);
  expect(theirs.size).toBeGreaterThan(10);
  for (const [selector, fields] of theirs) expect(ours.get(selector), selector).toEqual(fields);
});

test('hemi-viem asks how final a block is, and takes our word that nothing is published yet', async () => {
  const urls = { http: [url] };
  const nativeCurrency = { name: 'hBTC', symbol: 'hBTC', decimals: 18 };
  const chain = defineChain({ id: 743_555, name: 'dev', nativeCurrency, rpcUrls: { default: urls, opNode: urls } });
  const client = createPublicClient({ transport: http(url), chain });
  const { hash } = await client.getBlock({ blockTag: 'latest' });
  expect(await getBtcFinalityByBlockHash(client, { hash })).toMatchObject({ btc_finality: -9, l2_keystone: null });
});
