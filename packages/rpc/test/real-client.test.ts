import type { Derivation } from '@hemid/chain';
import { fromHex, toDepositTransaction, toPayoutTransaction } from '@hemid/protocol';
import { Contract, ContractFactory, JsonRpcProvider, NonceManager, Wallet } from 'ethers';
import { type Hex, toFunctionSelector } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, openFixture } from './fixture.ts';
import { signalAbi, signalBytecode } from './signal-contract.ts';
import { beggar, CHAIN_ID } from './test-chain.ts';

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
