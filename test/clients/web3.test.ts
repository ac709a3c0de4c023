import { createRequire } from 'node:module';
import { join } from 'node:path';
import { waitFor } from '@hemid/testkit';
import { createWalletClient, encodeFunctionData, http } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { addMessage, compileCounter } from './counter.ts';
import { ALICE, BOB, type DevNetwork, SYSTEM_TYPES, startDevNetwork } from './dev-network.ts';
import { installed } from './installed.ts';

// Programs that start and compile, on a machine that has more to do.
vi.setConfig({ testTimeout: 600_000, hookTimeout: 300_000 });

// biome-ignore lint/suspicious/noExplicitAny: web3 is fetched when these tests run, its types are not here.
type Web3 = any;

const { abi, bytecode } = compileCounter();
let library: (name: string) => Web3;
let network: DevNetwork;
let web3: Web3;
let live: Web3;
let counter: Web3;
beforeAll(async () => {
  library = createRequire(join(installed('web3-4.16.0'), 'package.json'));
  const { Web3 } = library('web3');
  network = await startDevNetwork();
  web3 = new Web3(network.url);
  live = new Web3(network.websocket);
  web3.eth.accounts.wallet.add(ALICE.key);
});
afterAll(async () => {
  live?.provider.disconnect();
  await network?.close();
});

test('web3.js deploys a contract and waits for it', async () => {
  counter = await new web3.eth.Contract(abi).deploy({ data: bytecode, arguments: [4] }).send({ from: ALICE.address });
  expect(await web3.eth.getCode(counter.options.address)).toMatch(/^0x6/);
  expect(await counter.methods.count().call()).toBe(4n);
});

test('web3.js writes, reads, finds the event, and hears of it over a websocket', async () => {
  const heard: { count: bigint; number: bigint }[] = [];
  const events = await new live.eth.Contract(abi, counter.options.address).events.Counted();
  events.on('data', (event: Web3) => heard.push({ count: event.returnValues.count, number: event.blockNumber }));
  const heads: bigint[] = [];
  (await live.eth.subscribe('newBlockHeaders')).on('data', (head: Web3) => heads.push(head.number));
  await live.eth.subscribe('syncing');

  const receipt = await counter.methods.add(3).send({ from: ALICE.address });
  expect(receipt).toMatchObject({ status: 1n, events: { Counted: { returnValues: { by: ALICE.address, count: 7n } } } });
  expect(await counter.methods.count().call()).toBe(7n);
  const [past] = await counter.getPastEvents('Counted', { filter: { by: ALICE.address }, fromBlock: 0 });
  expect(past).toMatchObject({ transactionHash: receipt.transactionHash, returnValues: { count: 7n } });
  await waitFor(() => heads.includes(receipt.blockNumber) && heard.length > 0, { timeoutMs: 20_000, what: 'the block and its event' });
  expect(heard).toEqual([{ count: 7n, number: receipt.blockNumber }]);
});

test('web3.js decodes a custom error, and estimates what does not fail', async () => {
  await expect(counter.methods.add(11).call({ from: ALICE.address })).rejects.toMatchObject({
    innerError: { errorName: 'TooMuch', errorArgs: { asked: 11n, most: 10n } },
  });
  expect(await counter.methods.add(1).estimateGas({ from: ALICE.address })).toBeGreaterThan(21_000n);
});

test('web3.js signs typed data (EIP-712) that the contract verifies', async () => {
  const { address } = counter.options;
  const digest = library('web3-eth-abi').getEncodedEip712Data(addMessage(Number(await web3.eth.getChainId()), address, 5), true);
  const { signature } = library('web3-eth-accounts').signMessageWithPrivateKey(digest, ALICE.key);
  expect(await counter.methods.signerOf(5, signature).call()).toBe(ALICE.address);
  expect(await counter.methods.signerOf(6, signature).call()).not.toBe(ALICE.address);
});

test('web3.js decodes system transactions and a delegation (EIP-7702), in blocks, by hash and in receipts', async () => {
  const sightings = await network.systemTransactions();
  const account = privateKeyToAccount(BOB.key);
  const wallet = createWalletClient({ account, transport: http(network.url) });
  const data = encodeFunctionData({ abi, functionName: 'add', args: [1n] });
  const authorization = await wallet.signAuthorization({ contractAddress: counter.options.address, executor: 'self' });
  const hash = await wallet.sendTransaction({ chain: null, to: account.address, data, authorizationList: [authorization] });
  const delegated = await waitFor(() => web3.eth.getTransactionReceipt(hash).catch(() => undefined), { timeoutMs: 20_000, what: 'its block' });
  expect(delegated).toMatchObject({ status: 1n, type: 4n });
  for (const type of [...SYSTEM_TYPES, '0x4']) {
    const { block, hash: at } = sightings[type] ?? { block: delegated.blockNumber, hash };
    const { transactions } = await web3.eth.getBlock(block, true);
    const found = transactions.find((transaction: Web3) => transaction.hash === at);
    expect(found.type, type).toBe(BigInt(type));
    expect(await web3.eth.getTransaction(at)).toMatchObject({ hash: at, blockNumber: BigInt(block) });
    expect(await web3.eth.getTransactionReceipt(at)).toMatchObject({ transactionHash: at, status: 1n });
  }
});
