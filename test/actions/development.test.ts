import { wrappedHbtc } from '@hemid/contracts';
import { createJsonRpc, createUpstream } from '@hemid/network';
import { createNode, type Node, runDbVerify } from '@hemid/node';
import { toHex, WRAPPED_HBTC_ADDRESS } from '@hemid/protocol';
import { silentLogger } from '@hemid/runtime';
import { openMemoryStore } from '@hemid/store';
import { type Hex, padHex, parseEther, verifyMessage, verifyTypedData } from 'viem';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DevelopmentScene, openDevelopmentScene } from '../development-scene.ts';

const ALICE = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266';
const BOB = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const STRANGER = '0x00000000000000000000000000000000000abcde';
const TOKEN = { address: toHex(WRAPPED_HBTC_ADDRESS), abi: wrappedHbtc.abi };
let scene: DevelopmentScene;
let clients: [DevelopmentScene['anvil'], DevelopmentScene['hardhat']];
beforeAll(async () => {
  scene = await openDevelopmentScene();
  clients = [scene.anvil, scene.hardhat];
});
afterAll(() => scene.stop());

/** Executes the whole chain again from Bitcoin and blocks alone. */
async function verify(): Promise<string> {
  const lines: string[] = [];
  const context = {
    store: scene.store,
    clock: scene.clock,
    write: (line: string) => lines.push(line),
    progress: () => undefined,
    signal: new AbortController().signal,
  };
  const config = { data: '', chain: undefined, from: undefined, scratch: undefined, unspentSet: undefined };
  const { line } = await runDbVerify(context, { spec: scene.spec, config });
  return [...lines, line].join('\n');
}

/** A verifier that has fetched the chain from the RPC of the development network, whose time is far ahead of its own clock. */
async function follow(): Promise<Node> {
  const { spec, bitcoin, clock, url } = scene;
  const onFailure = (error: unknown): void => {
    throw error;
  };
  const role = { kind: 'verifier', upstream: createUpstream(createJsonRpc(url, { timeoutMs: 10_000 })), pollMs: 1000 } as const;
  const deps = { spec, store: await openMemoryStore(), bitcoin: bitcoin.rpc, clock, log: silentLogger, onFailure };
  const node = await createNode(deps, { bitcoinPollMs: 1000, role });
  await node.bitcoinSync.pull();
  await node.follow?.pull();
  return node;
}

test('a block is built with each transaction, at once, and eth_sendTransaction signs for the accounts that everybody knows', async () => {
  const { anvil } = scene;
  expect(await anvil.getAddresses()).toHaveLength(10);
  const before = await anvil.getBlockNumber();
  const hash = await anvil.sendTransaction({ account: ALICE, to: BOB, value: 5n });
  const receipt = await anvil.getTransactionReceipt({ hash });
  expect(receipt).toMatchObject({ status: 'success', from: ALICE.toLowerCase(), blockNumber: before + 1n });
  expect(await scene.call('eth_sendTransaction', { from: STRANGER, to: BOB })).toMatchObject({
    error: { message: expect.stringMatching(/^unknown account 0x0+abcde/) },
  });
});

test('a snapshot, changes of every kind, and back: in both modes of viem, without a second of waiting', async () => {
  for (const client of clients) {
    const id = await client.snapshot();
    const head = await client.getBlock();
    const balance = await client.getBalance({ address: BOB });
    await client.setBalance({ address: BOB, value: parseEther('1234567') });
    await client.setNonce({ address: STRANGER, nonce: 7 });
    await client.setCode({ address: STRANGER, bytecode: '0x60015460005260206000f3' });
    await client.setStorageAt({ address: STRANGER, index: 1, value: padHex('0x2a', { size: 32 }) });
    expect(await client.getBalance({ address: BOB })).toBe(parseEther('1234567'));
    expect(await client.getTransactionCount({ address: STRANGER })).toBe(7);
    expect(await client.getStorageAt({ address: STRANGER, slot: '0x1' })).toBe(padHex('0x2a', { size: 32 }));
    expect((await client.call({ to: STRANGER })).data).toBe(padHex('0x2a', { size: 32 }));
    const block = await client.getBlock({ includeTransactions: true });
    expect(block.number).toBe(head.number + 4n);
    expect(block.transactions[0]).toMatchObject({ from: `0x${'88'.repeat(20)}`, gas: 0n, gasPrice: 0n });
    const receipt = await client.getTransactionReceipt({ hash: block.transactions[0]?.hash as Hex });
    expect(receipt).toMatchObject({ status: 'success', gasUsed: 0n, contractAddress: null });

    expect(await client.request({ method: 'evm_revert', params: [id] } as never)).toBe(true);
    expect((await client.getBlock()).hash).toBe(head.hash);
    expect(await client.getBalance({ address: BOB })).toBe(balance);
    expect(await client.getCode({ address: STRANGER })).toBeUndefined();
    expect(await client.request({ method: 'evm_revert', params: [id] } as never)).toBe(false);
  }
});

test('what a revert takes back does not come again, and what waited then waits again', async () => {
  const { anvil } = scene;
  await anvil.setAutomine(false);
  expect(await anvil.getAutomine()).toBe(false);
  const waiting = await anvil.sendTransaction({ account: BOB, to: STRANGER, value: 1n });
  const id = await anvil.snapshot();
  await anvil.mine({ blocks: 1 });
  const later = await anvil.sendTransaction({ account: BOB, to: STRANGER, value: 2n });
  await anvil.mine({ blocks: 1 });
  expect((await anvil.getTransactionReceipt({ hash: later })).status).toBe('success');
  await anvil.revert({ id });
  expect(await anvil.getTxpoolStatus()).toEqual({ pending: 1, queued: 0 });
  await anvil.dropTransaction({ hash: waiting });
  expect(await anvil.getTxpoolStatus()).toEqual({ pending: 0, queued: 0 });
  await anvil.setAutomine(true);
  expect(await scene.hardhat.getAutomine()).toBe(true);
});

test('time moves as it is told, again and again to the same second after a revert', async () => {
  const { anvil, hardhat } = scene;
  for (const client of clients) {
    const id = await client.snapshot();
    const { timestamp } = await client.getBlock();
    await client.increaseTime({ seconds: 86_400 });
    await client.mine({ blocks: 1 });
    expect((await client.getBlock()).timestamp - timestamp).toBeGreaterThanOrEqual(86_400n);
    await client.setNextBlockTimestamp({ timestamp: 1_900_000_000n });
    await client.sendTransaction({ account: ALICE, to: BOB });
    expect((await client.getBlock()).timestamp).toBe(1_900_000_000n);
    await client.mine({ blocks: 3, interval: 60 });
    expect((await client.getBlock()).timestamp).toBe(1_900_000_121n);
    await client.revert({ id });
    await client.mine({ blocks: 1 });
    expect((await client.getBlock()).timestamp).toBe(timestamp + 1n);
  }
  await scene.call('evm_mine', 1_850_000_000);
  expect((await anvil.getBlock()).timestamp).toBe(1_850_000_000n);
  expect(await scene.call('evm_mine', { timestamp: '0x6e44c300', blocks: 2 })).toMatchObject({ result: '0x0' });
  expect((await hardhat.getBlock()).timestamp).toBe(BigInt(0x6e44c300) + 1n);
  expect(await scene.call('evm_setNextBlockTimestamp', 1_850_000_000)).toMatchObject({
    error: { message: expect.stringMatching(/^Timestamp 1850000000 is lower than or equal to previous block's timestamp/) },
  });
});

test('a contract sends, deploys and fails when it is impersonated, and pays for its gas', async () => {
  const { hardhat, anvil } = scene;
  const { address } = TOKEN;
  await anvil.writeContract({ ...TOKEN, account: ALICE, functionName: 'deposit', value: 100n, chain: null });
  await hardhat.setBalance({ address, value: parseEther('1') });
  await hardhat.impersonateAccount({ address });
  const nonce = await hardhat.getTransactionCount({ address });
  const hash = await hardhat.writeContract({ ...TOKEN, account: address, functionName: 'approve', args: [BOB, 77n], chain: null });
  const receipt = await hardhat.getTransactionReceipt({ hash });
  expect(receipt).toMatchObject({ status: 'success', from: address, to: address, contractAddress: null });
  expect(receipt.logs).toHaveLength(1);
  expect(await hardhat.readContract({ ...TOKEN, functionName: 'allowance', args: [address, BOB] })).toBe(77n);
  expect(await hardhat.getBalance({ address })).toBe(parseEther('1') - receipt.gasUsed * receipt.effectiveGasPrice);
  expect(await hardhat.getTransaction({ hash })).toMatchObject({ from: address, nonce });

  const created = await hardhat.sendTransaction({ account: address, data: '0x600160005360016000f3' });
  const { contractAddress } = await hardhat.getTransactionReceipt({ hash: created });
  expect(await hardhat.getCode({ address: contractAddress as Hex })).toBe('0x01');
  const failed = await hardhat.sendTransaction({ account: address, to: address, data: '0xdeadbeef00', gas: 60_000n });
  expect((await hardhat.getTransactionReceipt({ hash: failed })).status).toBe('reverted');
  const trace = (await scene.call('debug_traceTransaction', hash, { tracer: 'callTracer' })).result;
  expect(trace).toMatchObject({ from: address, to: address, gasUsed: `0x${receipt.gasUsed.toString(16)}` });

  await hardhat.stopImpersonatingAccount({ address });
  expect(await scene.call('eth_sendTransaction', { from: address, to: BOB })).toMatchObject({
    error: { message: expect.stringMatching(/unknown account/) },
  });
  await scene.call('anvil_autoImpersonateAccount', true);
  await anvil.setBalance({ address: STRANGER, value: parseEther('1') });
  expect(await scene.call('eth_sendTransaction', { from: STRANGER, to: BOB, value: '0x1' })).toMatchObject({ result: expect.stringMatching(/^0x/) });
  expect(await scene.call('eth_sendTransaction', { from: STRANGER, to: BOB, value: '0x1', nonce: '0x63', gas: '0x5208' })).toMatchObject({
    error: { message: expect.stringMatching(/^nonce too high/) },
  });
  await scene.call('anvil_autoImpersonateAccount', false);
});

test('without automine an impersonated call waits, is shown, gets the next nonce, and can be dropped', async () => {
  const { anvil } = scene;
  await anvil.setAutomine(false);
  await anvil.impersonateAccount({ address: STRANGER });
  const nonce = await anvil.getTransactionCount({ address: STRANGER });
  const send = () => anvil.sendTransaction({ account: STRANGER, to: BOB, value: 1n, gas: 21_000n });
  const [first, second, third] = [await send(), await send(), await send()];
  expect(await anvil.getTransaction({ hash: second })).toMatchObject({ nonce: nonce + 1, blockNumber: null, from: STRANGER });
  await anvil.dropTransaction({ hash: third });
  expect(await anvil.getTransactionCount({ address: STRANGER, blockTag: 'pending' })).toBe(nonce + 2);
  await anvil.mine({ blocks: 1 });
  const [one, two] = [await anvil.getTransactionReceipt({ hash: first }), await anvil.getTransactionReceipt({ hash: second })];
  expect(one.blockNumber).toBe(two.blockNumber);
  await expect(anvil.getTransactionReceipt({ hash: third })).rejects.toThrow(/could not be found/);
  await anvil.setAutomine(true);
});

test('messages and typed data are signed as viem checks them', async () => {
  const { anvil } = scene;
  const signature = await anvil.signMessage({ account: ALICE, message: 'hello' });
  expect(await verifyMessage({ address: ALICE, message: 'hello', signature })).toBe(true);
  const signed = (await scene.call('eth_sign', ALICE, '0x68656c6c6f')).result;
  expect(signed).toBe(signature);
  const typed = {
    domain: { name: 'Ether Mail', version: '1', chainId: 743_555, verifyingContract: STRANGER },
    types: {
      Person: [
        { name: 'name', type: 'string' },
        { name: 'wallets', type: 'address[]' },
      ],
      Mail: [
        { name: 'from', type: 'Person' },
        { name: 'to', type: 'Person[2]' },
        { name: 'amount', type: 'int128' },
        { name: 'contents', type: 'bytes' },
        { name: 'tag', type: 'bytes4' },
        { name: 'urgent', type: 'bool' },
      ],
    },
    primaryType: 'Mail',
    message: {
      from: { name: 'Alice', wallets: [ALICE, BOB] },
      to: [
        { name: 'Bob', wallets: [BOB] },
        { name: 'Nobody', wallets: [] },
      ],
      amount: -5n,
      contents: '0x1234',
      tag: '0xdeadbeef',
      urgent: true,
    },
  } as const;
  expect(await verifyTypedData({ ...typed, address: ALICE, signature: await anvil.signTypedData({ account: ALICE, ...typed }) })).toBe(true);
});

test('blocks are as far apart as they are told to be, for as long as it is said', async () => {
  const { anvil } = scene;
  const start = (await anvil.getBlock()).timestamp;
  await anvil.setBlockTimestampInterval({ interval: 50 });
  await anvil.sendTransaction({ account: ALICE, to: BOB });
  await anvil.mine({ blocks: 2 });
  expect((await anvil.getBlock()).timestamp).toBe(start + 150n);
  await anvil.removeBlockTimestampInterval();
  await anvil.mine({ blocks: 1 });
  expect((await anvil.getBlock()).timestamp).toBe(start + 151n);
  expect(await scene.call('anvil_setBlockTimestampInterval', 0)).toMatchObject({
    error: { message: expect.stringMatching(/^blocks cannot be 0 s apart/) },
  });
});

test('an unsigned transaction is taken of any account', async () => {
  const { anvil } = scene;
  const from = '0x00000000000000000000000000000000000fade0';
  await anvil.setBalance({ address: from, value: parseEther('1') });
  const hash = await anvil.sendUnsignedTransaction({ from, to: BOB, value: 1n, gas: 21_000n });
  expect(await anvil.getTransactionReceipt({ hash })).toMatchObject({ status: 'success', from });
  expect(await scene.call('eth_sendTransaction', { from, to: BOB })).toMatchObject({ error: { message: expect.stringMatching(/^unknown account/) } });
});

test('what the rules of the chain fix is refused, with what to do instead; what nobody would see is taken', async () => {
  for (const client of clients) {
    await client.setLoggingEnabled(false);
    await expect(client.setNextBlockBaseFeePerGas({ baseFeePerGas: 0n })).rejects.toThrow(/EIP-1559.*maxFeePerGas/s);
    await expect(client.setMinGasPrice({ gasPrice: 0n })).rejects.toThrow(/lowest price/);
    await expect(client.setCoinbase({ address: BOB })).rejects.toThrow(/feeRecipient/);
    await expect(client.setBlockGasLimit({ gasLimit: 1_000_000n })).rejects.toThrow(/genesis.gasLimit/);
    await expect(client.reset({ jsonRpcUrl: 'https://mainnet.example', blockNumber: 1n })).rejects.toThrow(/no fork/);
  }
  expect(await scene.call('hardhat_setPrevRandao', '0x1')).toMatchObject({
    error: { code: -32000, message: expect.stringMatching(/^the random value/) },
  });
});

test('the node says what it is in both forms', async () => {
  const { number, hash } = await scene.anvil.getBlock();
  expect((await scene.call('anvil_nodeInfo')).result).toMatchObject({
    currentBlockNumber: `0x${number.toString(16)}`,
    currentBlockHash: hash,
    hardFork: 'osaka',
    environment: { chainId: 743_555 },
  });
  expect((await scene.call('hardhat_metadata')).result).toMatchObject({ latestBlockNumber: Number(number), latestBlockHash: hash, chainId: 743_555 });
});

test('a reset goes back to the genesis and to how the network was started, and the chain goes on from there', async () => {
  const genesis = scene.node.chain.head('earliest');
  for (const client of clients) {
    await client.setBalance({ address: STRANGER, value: 5n });
    const id = await client.snapshot();
    await client.impersonateAccount({ address: STRANGER });
    await client.increaseTime({ seconds: 1_000_000 });
    await client.setAutomine(false);
    await client.sendTransaction({ account: ALICE, to: BOB, value: 1n });
    await client.reset();
    expect((await client.getBlock()).hash).toBe(toHex(genesis.hash));
    expect(await client.getTxpoolStatus()).toEqual({ pending: 0, queued: 0 });
    expect(await client.getBalance({ address: STRANGER })).toBe(0n);
    expect(await client.request({ method: 'evm_revert', params: [id] } as never)).toBe(false);
    expect(await scene.call('eth_sendTransaction', { from: STRANGER, to: BOB })).toMatchObject({
      error: { message: expect.stringMatching(/^unknown account/) },
    });
    await client.sendTransaction({ account: ALICE, to: BOB, value: 1n });
    const { number, timestamp } = await client.getBlock();
    expect(number).toBe(1n);
    expect(Number(timestamp - genesis.header.timestamp)).toBeLessThan(1_000_000);
  }
});

test('all of it is in blocks: executed again they give the same rows, after a restart the chain goes on from there, and a verifier agrees', async () => {
  const { header, hash } = scene.node.chain.head('latest');
  expect(await verify()).toMatch(new RegExp(`^verify: all ${header.number} blocks from 1 on are right, head .*${toHex(header.stateRoot)}$`));
  const verifier = await follow();
  expect(toHex(verifier.chain.head('latest').hash)).toBe(toHex(hash));

  scene = await scene.restart();
  expect(toHex(scene.node.chain.head('latest').hash)).toBe(toHex(hash));
  const before = await scene.anvil.getBlock();
  await scene.anvil.increaseTime({ seconds: 1000 });
  await scene.anvil.sendTransaction({ account: ALICE, to: BOB, value: 1n });
  const after = await scene.anvil.getBlock();
  expect([after.number, after.timestamp]).toEqual([before.number + 1n, before.timestamp + 1000n]);
});
