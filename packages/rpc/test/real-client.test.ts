import type { Derivation } from '@hemid/chain';
import { fromHex, type SealedBlock, toDepositTransaction, toPayoutTransaction } from '@hemid/protocol';
import { Contract, ContractFactory, getAddress, JsonRpcProvider, NonceManager, Wallet } from 'ethers';
import { encodeFunctionData, type Hex, toFunctionSelector } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, openFixture } from './fixture.ts';
import { signalAbi, signalBytecode } from './signal-contract.ts';
import { alice, beggar, CHAIN_ID, openTestChain } from './test-chain.ts';

/** A payout and a deposit in block 2. */
const inBlockTwo: Derivation = {
  name: 'test',
  due: async ({ number }) => {
    const payout = toPayoutTransaction({ blockRewarded: 1n, miners: [fromHex('cc'.repeat(20))], amounts: [7n] });
    const recipient = fromHex(beggar.address);
    const deposit = toDepositTransaction({ txid: fromHex('dd'.repeat(32)), vout: 0, height: 1, sats: 5n, recipient, payload: new Uint8Array() });
    return { transactions: number === 2n ? [payout, deposit] : [], writes: [] };
  },
};

const ABI = [
  'event Pinged(address indexed who, bytes32 value)',
  'function ping(bytes32 value)',
  'function value() view returns (bytes32)',
  'function refuse() view',
];
const SEVEN = `0x${'00'.repeat(31)}07`;

let f: Fixture;
let provider: JsonRpcProvider;
let signer: NonceManager;
beforeAll(async () => {
  f = await openFixture([inBlockTwo]);
  provider = new JsonRpcProvider(f.server.url(), CHAIN_ID, { staticNetwork: true, cacheTimeout: -1, pollingInterval: 20 });
  signer = new NonceManager(new Wallet(`0x${'a1'.repeat(32)}`, provider));
  await f.mine(1);
});
afterAll(async () => {
  provider.destroy();
  await f.close();
});

describe('ethers', () => {
  let contract: Contract;

  it('deploys a contract and waits for it', async () => {
    const deployed = await new ContractFactory(ABI, signalBytecode, signer).deploy();
    await f.build();
    await deployed.waitForDeployment();
    contract = new Contract(await deployed.getAddress(), ABI, signer);
    expect(await provider.getCode(contract)).not.toBe('0x');
  });

  it('writes, reads and finds the event', async () => {
    const sent = await contract.getFunction('ping')(SEVEN);
    await f.mine(1);
    await f.build();
    const receipt = await sent.wait();
    expect(receipt.status).toBe(1);
    expect(await contract.getFunction('value')()).toBe(SEVEN);
    const [event] = await contract.queryFilter('Pinged', 0, 'latest');
    expect(event?.blockNumber).toBe(2);
    await expect(contract.getFunction('refuse')()).rejects.toMatchObject({ code: 'CALL_EXCEPTION', reason: 'no way' });
  });

  it('decodes blocks with system transactions, and their receipts', async () => {
    const block = await provider.getBlock(2, true);
    expect(block?.prefetchedTransactions.map(({ type }) => type)).toEqual([0x7c, 0x7d, 0x7e, 2]);
    for (const { hash } of block?.prefetchedTransactions ?? []) {
      expect((await provider.getTransaction(hash))?.blockNumber).toBe(2);
      expect((await provider.getTransactionReceipt(hash))?.hash).toBe(hash);
    }
  });

  it('asks for fees and for the blocks that Bitcoin has made safe', async () => {
    const { maxFeePerGas, maxPriorityFeePerGas } = await provider.getFeeData();
    expect(maxFeePerGas).toBeGreaterThan(maxPriorityFeePerGas ?? 0n);
    expect((await provider.getBlock('safe'))?.number).toBe(0);
    expect((await provider.getBlock('finalized'))?.number).toBe(0);
  });
});

describe('both', () => {
  const account = new Wallet(`0x${'be'.repeat(32)}`);
  const contract = async (): Promise<Hex> => {
    const { transactions } = await f.client.getBlock({ blockNumber: 1n });
    return (await f.client.getTransactionReceipt({ hash: transactions.at(-1) as Hex })).contractAddress as Hex;
  };
  const ping = encodeFunctionData({ abi: signalAbi, functionName: 'ping', args: [SEVEN as Hex] });

  it('send and decode delegations (EIP-7702)', async () => {
    const address = await contract();
    const authorization = await f.wallet.signAuthorization({ account: beggar, contractAddress: address });
    const nonce = await f.client.getTransactionCount({ address: alice.address, blockTag: 'pending' });
    const byViem = await f.wallet.sendTransaction({ to: beggar.address, data: ping, authorizationList: [authorization], nonce });
    await f.build();
    expect(await f.client.getTransactionReceipt({ hash: byViem })).toMatchObject({
      status: 'success',
      type: 'eip7702',
      logs: [{ address: beggar.address.toLowerCase() }],
    });
    expect(await f.client.getCode({ address: beggar.address })).toBe(`0xef0100${address.slice(2).toLowerCase()}`);

    const again = await account.authorize({ address, nonce: 1, chainId: CHAIN_ID });
    const wallet = new Wallet(`0x${'a1'.repeat(32)}`, provider);
    const byEthers = await wallet.sendTransaction({ type: 4, to: beggar.address, data: ping, authorizationList: [again], nonce: nonce + 1 });
    await f.build();
    const block = await provider.getBlock('latest', true);
    expect(block?.prefetchedTransactions.find(({ hash }) => hash === byEthers.hash)?.authorizationList).toMatchObject([
      { address: getAddress(address), nonce: 1n },
    ]);
    expect((await f.client.getTransaction({ hash: byEthers.hash as Hex })).authorizationList).toMatchObject([
      { address: address.toLowerCase(), nonce: 1 },
    ]);
    expect((await provider.getTransactionReceipt(byEthers.hash))?.status).toBe(1);
  });

  it("verify each other's typed data (EIP-712) by a call of the node", async () => {
    const domain = { name: 'Signal', chainId: CHAIN_ID, verifyingContract: await contract() };
    const types = { Ping: [{ name: 'value', type: 'bytes32' }] };
    const message = { value: SEVEN };
    const signature = (await account.signTypedData(domain, types, message)) as Hex;
    const typed = { address: account.address as Hex, domain, types, primaryType: 'Ping', message } as const;
    expect(await f.client.verifyTypedData({ ...typed, signature })).toBe(true);
    expect(await f.client.verifyTypedData({ ...typed, message: { value: `0x${'08'.repeat(32)}` }, signature })).toBe(false);
    expect(signature).toBe(await beggar.signTypedData({ domain, types, primaryType: 'Ping', message } as never));
  });

  it('see a reorg: the event is taken back, and its receipt is gone', async () => {
    const viem = f.openSocket();
    const address = await contract();
    const past = await f.client.getBlockNumber();
    const rival = await openTestChain(f.clock, [inBlockTwo]);
    await rival.mine(2);
    for (let number = 1n; number <= past; number += 1n)
      await rival.take(f.chain.block(f.chain.headerAt(number)?.hash ?? new Uint8Array()) as SealedBlock);
    const byViem: boolean[] = [];
    // An event of ethers does not tell of logs that are taken back: a filter does.
    const filter = await provider.send('eth_newFilter', [{ address }]);
    viem.watchEvent({ address, onLogs: (logs) => byViem.push(...logs.map(({ removed }) => removed)) });
    await viem.getBlockNumber();
    const lost = await f.ping(address, SEVEN as Hex);
    await f.build();
    const before = await provider.getBlock(Number(past) + 1);
    for (const block of [await rival.build(), await rival.build()]) await f.take(block);
    await expect.poll(() => byViem).toEqual([false, true]);
    expect((await provider.send('eth_getFilterChanges', [filter])).map(({ removed }: { removed: boolean }) => removed)).toEqual([false, true]);
    expect(await provider.getLogs({ address, fromBlock: Number(past) + 1 })).toEqual([]);
    expect(await provider.getBlockNumber()).toBe(Number(past) + 2);
    expect((await provider.getBlock(Number(past) + 1))?.hash).not.toBe(before?.hash);
    expect(await provider.getTransactionReceipt(lost)).toBeNull();
    await expect(f.client.getTransactionReceipt({ hash: lost })).rejects.toThrow('could not be found');
    (await viem.transport.getRpcClient()).close();
    await rival.close();
  });
});

describe('viem', () => {
  it('decodes the same block, simulates on top of it, and makes access lists', async () => {
    const block = await f.client.getBlock({ blockNumber: 2n, includeTransactions: true });
    expect(block.transactions).toHaveLength(4);
    const address = (await f.client.getTransactionReceipt({ hash: (await f.client.getBlock({ blockNumber: 1n })).transactions.at(-1) as Hex }))
      .contractAddress as Hex;
    const { results } = await f.client.simulateCalls({ account: beggar.address, calls: [{ to: address, abi: signalAbi, functionName: 'value' }] });
    expect(results[0]).toMatchObject({ status: 'success', result: SEVEN });
    const { accessList } = await f.client.createAccessList({ to: address, data: toFunctionSelector('value()') });
    expect(accessList).toEqual([{ address: address.toLowerCase(), storageKeys: [`0x${'00'.repeat(32)}`] }]);
  });

  it('proves what it reads', async () => {
    const proof = await f.client.getProof({ address: beggar.address, storageKeys: [] });
    expect(proof.balance).toBe(await f.client.getBalance({ address: beggar.address }));
  });
});
