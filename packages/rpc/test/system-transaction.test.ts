import type { Derivation } from '@hemid/chain';
import {
  encodeSystemTransaction,
  fromHex,
  hashTransaction,
  type SystemTransaction,
  toDepositTransaction,
  toHex,
  toPayoutTransaction,
} from '@hemid/protocol';
import { type Hex, padHex } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Fixture, openFixture } from './fixture.ts';
import { alice, beggar } from './test-chain.ts';

const payout = toPayoutTransaction({ blockRewarded: 1n, miners: [fromHex('cc'.repeat(20))], amounts: [7n] });
const deposit = toDepositTransaction({
  txid: fromHex('dd'.repeat(32)),
  vout: 0,
  height: 1,
  sats: 5n,
  recipient: fromHex(beggar.address),
  payload: new Uint8Array(),
});
const hashOf = (transaction: SystemTransaction): Hex => toHex(hashTransaction(encodeSystemTransaction(transaction)));

/** Makes both due in block 2. */
const inBlockTwo: Derivation = {
  name: 'test',
  due: async ({ number }) => ({ transactions: number === 2n ? [payout, deposit] : [], writes: [] }),
};

const SYSTEM = '0x8888888888888888888888888888888888888888';
let f: Fixture;
let user: Hex;
beforeAll(async () => {
  f = await openFixture([inBlockTwo]);
  await f.mine(1);
  await f.build();
  await f.mine(1);
  user = await f.wallet.sendTransaction({ to: beggar.address, value: 1n });
  await f.build();
});
afterAll(() => f.close());

describe('system transactions', () => {
  it('are executed again by traces, to the gas of their receipts', async () => {
    const receipts = (await f.call('eth_getBlockReceipts', '0x2')).result;
    const traces = (await f.call('debug_traceBlockByNumber', '0x2', { tracer: 'callTracer', tracerConfig: { withLog: true } })).result;
    const outcomes = traces.map(({ txHash, result }: Answer) => ({
      txHash,
      gasUsed: result.gasUsed,
      from: result.from,
      failed: result.error !== undefined,
    }));
    expect(outcomes).toEqual(
      receipts.map((one: Answer) => ({ txHash: one.transactionHash, gasUsed: one.gasUsed, from: one.from, failed: one.status === '0x0' })),
    );
    const logsOf = (node: Answer): Answer[] => [...(node.logs ?? []), ...(node.calls ?? []).flatMap(logsOf)];
    expect(traces.map(({ result }: Answer) => logsOf(result).length)).toEqual(receipts.map(({ logs }: Answer) => logs.length));
    expect(traces[1].result.calls ?? traces[1].result.logs).not.toHaveLength(0);
  });

  it('stand in blocks that viem decodes, before the user transactions', async () => {
    const block = await f.client.getBlock({ blockNumber: 2n, includeTransactions: true });
    expect(block.transactions.map((transaction) => (transaction as { typeHex: Hex }).typeHex)).toEqual(['0x7c', '0x7d', '0x7e', '0x2']);
    expect(block.transactions.map(({ from }) => from)).toEqual([SYSTEM, SYSTEM, SYSTEM, alice.address.toLowerCase()]);
    expect(block.transactions.map(({ transactionIndex }) => transactionIndex)).toEqual([0, 1, 2, 3]);
    expect(block.transactions[3]?.hash).toBe(user);
  });

  it('are shown without a signature, at price zero, with the nonce that the system address had', async () => {
    const attributes = (await f.call('eth_getTransactionByBlockNumberAndIndex', '0x2', '0x0')).result;
    expect(attributes).toMatchObject({
      type: '0x7c',
      from: SYSTEM,
      to: SYSTEM,
      gas: '0xf4240',
      gasPrice: '0x0',
      value: '0x0',
      nonce: '0x1',
      v: '0x0',
      r: '0x0',
      s: '0x0',
    });
    expect(attributes.input).toMatch(/^0xc94f1cca/);
    expect(attributes).not.toHaveProperty('mint');
    const paid = (await f.call('eth_getTransactionByHash', hashOf(payout))).result;
    expect(paid).toMatchObject({
      hash: hashOf(payout),
      type: '0x7d',
      to: '0x4200000000000000000000000000000000000042',
      nonce: '0x2',
      gas: '0x27100',
      blockNumber: '0x2',
      transactionIndex: '0x1',
      input: toHex(payout.data),
    });
    const credited = (await f.call('eth_getTransactionByHash', hashOf(deposit))).result;
    const wei = `0x${(5n * 10_000_000_000n).toString(16)}`;
    expect(credited).toMatchObject({
      hash: hashOf(deposit),
      type: '0x7e',
      nonce: '0x3',
      mint: wei,
      value: wei,
      sourceHash: toHex(deposit.sourceHash),
    });
    expect(Object.keys(credited)).not.toContain('chainId');
  });

  it('have receipts that viem decodes, with the nonce under the name of the type', async () => {
    const raws = (await f.call('eth_getBlockReceipts', '0x2')).result as Record<string, string>[];
    expect(
      raws.map(({ type, btcAttributesDepositedNonce, popPayoutNonce, depositNonce }) => ({
        type,
        btcAttributesDepositedNonce,
        popPayoutNonce,
        depositNonce,
      })),
    ).toEqual([
      { type: '0x7c', btcAttributesDepositedNonce: '0x1' },
      { type: '0x7d', popPayoutNonce: '0x2' },
      { type: '0x7e', depositNonce: '0x3' },
      { type: '0x2' },
    ]);
    const receipt = await f.client.getTransactionReceipt({ hash: hashOf(payout) });
    expect(receipt).toMatchObject({
      status: 'success',
      type: '0x7d',
      from: SYSTEM,
      effectiveGasPrice: 0n,
      contractAddress: null,
      transactionIndex: 1,
    });
    expect(receipt.gasUsed).toBeLessThan(160_000n);
    const reward = receipt.logs.find(({ topics }) => topics[2] === padHex(`0x${'cc'.repeat(20)}`, { size: 32 }));
    expect(reward?.data).toBe(padHex('0x7', { size: 32 }));
    expect((await f.client.getTransactionReceipt({ hash: hashOf(deposit) })).status).toBe('success');
    expect(await f.client.getBalance({ address: beggar.address })).toBe(5n * 10_000_000_000n + 1n);
  });

  it('number their logs together with those of users', async () => {
    const receipts = (await f.call('eth_getBlockReceipts', '0x2')).result as { logs: { logIndex: Hex }[] }[];
    const indices = receipts.flatMap(({ logs }) => logs.map(({ logIndex }) => Number(logIndex)));
    expect(indices.length).toBeGreaterThan(2);
    expect(indices).toEqual(indices.map((_, i) => i));
    expect(
      (await f.call('eth_getLogs', { fromBlock: '0x2', toBlock: '0x2' })).result.map(({ logIndex }: { logIndex: Hex }) => Number(logIndex)),
    ).toEqual(indices);
  });

  it('do not count as tips in the fee history', async () => {
    const { reward } = await f.client.getFeeHistory({ blockCount: 1, blockNumber: 2n, rewardPercentiles: [0] });
    const { effectiveGasPrice } = await f.client.getTransactionReceipt({ hash: user });
    const { baseFeePerGas } = await f.client.getBlock({ blockNumber: 2n });
    expect(reward).toEqual([[effectiveGasPrice - (baseFeePerGas as bigint)]]);
    expect(reward?.[0]?.[0]).toBeGreaterThan(0n);
  });
});
