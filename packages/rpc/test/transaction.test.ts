import { waitFor } from '@hemid/testkit';
import {
  getContractAddress,
  type Hex,
  InsufficientFundsError,
  keccak256,
  NonceTooLowError,
  padHex,
  parseEther,
  parseGwei,
  serializeTransaction,
  TransactionReceiptNotFoundError,
} from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Fixture, openFixture } from './fixture.ts';
import { PINGED, signalAbi, signalBytecode } from './signal-contract.ts';
import { alice, beggar, CHAIN_ID } from './test-chain.ts';

let f: Fixture;
beforeAll(async () => {
  f = await openFixture();
});
afterAll(() => f.close());

const word = (n: number): Hex => padHex(`0x${n.toString(16)}`, { size: 32 });
const fees = { maxFeePerGas: parseGwei('1'), maxPriorityFeePerGas: parseGwei('0.5'), gas: 100_000n };

/** Whether viem found an error of this class somewhere in what it threw. */
async function failsWith(promise: Promise<unknown>, kind: new (...args: never[]) => Error): Promise<boolean> {
  const error = (await promise.then(
    () => undefined,
    (thrown) => thrown,
  )) as { walk(test: (e: unknown) => boolean): unknown } | undefined;
  return error?.walk((e) => e instanceof kind) != null;
}

describe('sending transactions', () => {
  it('deploys a contract, and its receipt names the address', async () => {
    const nonce = await f.client.getTransactionCount({ address: alice.address });
    const hash = await f.wallet.deployContract({ abi: signalAbi, bytecode: signalBytecode });
    await f.build();
    const receipt = await f.client.getTransactionReceipt({ hash });
    expect(receipt.status).toBe('success');
    expect(receipt.to).toBeNull();
    expect(receipt.contractAddress).toBe(getContractAddress({ from: alice.address, nonce: BigInt(nonce) }).toLowerCase());
    expect(await f.client.getCode({ address: receipt.contractAddress as Hex })).toBe(`0x${signalBytecode.slice(2 + 24)}`);
  });

  it('takes a batch of them together, and answers each as it would alone', async () => {
    const first = await f.client.getTransactionCount({ address: alice.address });
    const sign = (nonce: number): Promise<Hex> =>
      alice.signTransaction({ type: 'eip1559', chainId: CHAIN_ID, to: beggar.address, value: 1n, nonce, ...fees });
    const raws = await Promise.all([0, 1, 2, 3].map((i) => sign(first + i)));
    const lost = await sign(0);
    const send = (params: unknown, i: number): object => ({ jsonrpc: '2.0', id: `id ${i}`, method: 'eth_sendRawTransaction', params });
    const post = async (calls: object[]): Promise<Answer[]> =>
      (await fetch(f.server.url(), { method: 'POST', body: JSON.stringify(calls) })).json() as Promise<Answer[]>;
    const answers = await post([raws[0], raws[1], raws[1], lost, raws[2], raws[3], '0x02'].map((raw, i) => send([raw], i)));
    expect(answers.map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5, 6].map((i) => `id ${i}`));
    expect(answers.map(({ result }) => result)).toEqual(
      [0, 1, undefined, undefined, 2, 3, undefined].map((i) => (i === undefined ? i : keccak256(raws[i] as Hex))),
    );
    expect(answers.flatMap(({ error }) => (error === undefined ? [] : [error.message]))).toEqual([
      'already known',
      expect.stringMatching(/^nonce too low/),
      expect.stringMatching(/^rlp: /),
    ]);
    // One that cannot be read: each is answered by itself.
    const mixed = await post([[raws[0]], ['0x0'], []].map(send));
    expect(mixed.map(({ error }) => error.code)).toEqual([-32_000, -32_602, -32_602]);
    await f.build();
    expect(await f.client.getTransactionCount({ address: alice.address })).toBe(first + 4);
  });

  it('shows a waiting transaction without a place, and counts it in the pending nonce', async () => {
    const before = await f.client.getTransactionCount({ address: alice.address });
    const hash = await f.wallet.sendTransaction({ to: beggar.address, value: 1n, ...fees });
    const waiting = await f.client.getTransaction({ hash });
    expect(waiting).toMatchObject({ blockHash: null, blockNumber: null, transactionIndex: null, gasPrice: fees.maxFeePerGas, nonce: before });
    await expect(f.client.getTransactionReceipt({ hash })).rejects.toThrow(TransactionReceiptNotFoundError);
    expect(await f.client.getTransactionCount({ address: alice.address, blockTag: 'pending' })).toBe(before + 1);
    expect(await f.client.getTransactionCount({ address: alice.address })).toBe(before);
    expect((await f.call('txpool_status')).result).toEqual({ pending: '0x1', queued: '0x0' });
    await f.build();
    expect(await f.client.getTransactionCount({ address: alice.address })).toBe(before + 1);
  });

  it('lets viem wait for a receipt', async () => {
    const hash = await f.wallet.sendTransaction({ to: beggar.address, value: 5n });
    let receipt: Awaited<ReturnType<typeof f.client.waitForTransactionReceipt>> | undefined;
    const waiting = f.client.waitForTransactionReceipt({ hash }).then((found) => {
      receipt = found;
    });
    const block = await f.build();
    // viem looks again at each new block, but passes over one that comes while it is busy with the one before.
    await waitFor(async () => receipt ?? void (await f.build()), { timeoutMs: 20_000, what: 'the receipt' });
    await waiting;
    expect(receipt?.blockNumber).toBe(block.block.header.number);
    expect(receipt?.gasUsed).toBe(21_000n);
    expect(receipt?.contractAddress).toBeNull();
  });

  it('shows each type so that its hash can be computed from what is shown', async () => {
    const authorization = await f.wallet.signAuthorization({ address: beggar.address, executor: 'self' });
    const nonce = await f.client.getTransactionCount({ address: alice.address });
    const accessList = [{ address: beggar.address, storageKeys: [word(1)] }];
    const common = { to: beggar.address, value: 3n, data: '0xabcd', gas: 100_000n } as const;
    const requests = [
      { ...common, type: 'legacy', gasPrice: parseGwei('1'), nonce },
      { ...common, type: 'eip2930', gasPrice: parseGwei('1'), accessList, nonce: nonce + 1 },
      { ...common, type: 'eip1559', ...fees, accessList, nonce: nonce + 2 },
      { ...common, type: 'eip7702', ...fees, authorizationList: [{ ...authorization, nonce: nonce + 4 }], nonce: nonce + 3 },
    ] as const;
    const hashes: Hex[] = [];
    for (const request of requests) hashes.push(await f.wallet.sendTransaction(request));
    await f.build();
    const { baseFeePerGas } = await f.client.getBlock();
    for (const [i, hash] of hashes.entries()) {
      const shown = await f.client.getTransaction({ hash });
      expect(shown.type).toBe(requests[i]?.type);
      expect(shown.chainId).toBe(CHAIN_ID);
      expect(shown.from).toBe(alice.address.toLowerCase());
      expect(shown.transactionIndex).toBe(i);
      const { r, s, v, yParity, gasPrice, input, ...fields } = shown as unknown as Record<string, Answer>;
      const signature = { r: padHex(r, { size: 32 }), s: padHex(s, { size: 32 }), v, yParity };
      const price = i < 2 ? { gasPrice } : {};
      expect(keccak256(serializeTransaction({ ...fields, ...price, data: input, type: requests[i]?.type } as never, signature))).toBe(hash);
      const expectedPrice = i < 2 ? parseGwei('1') : (baseFeePerGas as bigint) + fees.maxPriorityFeePerGas;
      expect(gasPrice).toBe(expectedPrice);
      expect((await f.client.getTransactionReceipt({ hash })).effectiveGasPrice).toBe(expectedPrice);
    }
  });

  it('numbers logs and gas over the whole block', async () => {
    const contract = await f.deploySignal();
    const hashes = [await f.ping(contract, word(1)), await f.ping(contract, word(2)), await f.ping(contract, word(3))];
    const block = await f.build();
    const receipts = (await f.call('eth_getBlockReceipts', 'latest')).result as Answer[];
    expect(receipts.map((r) => r.transactionHash)).toEqual(hashes);
    expect(receipts.map((r) => r.logs[0].logIndex)).toEqual(['0x0', '0x1', '0x2']);
    const total = receipts.reduce((sum, r) => sum + BigInt(r.gasUsed), 0n);
    expect(BigInt(receipts[2].cumulativeGasUsed)).toBe(total);
    expect(total).toBe(block.block.header.gasUsed);
    const { logsBloom } = await f.client.getBlock();
    expect(receipts[0].logsBloom).not.toMatch(/^0x0+$/);
    expect(receipts.reduce((bloom, r) => bloom | BigInt(r.logsBloom), 0n)).toBe(BigInt(logsBloom as Hex));
    const one = await f.client.getTransactionReceipt({ hash: hashes[1] as Hex });
    expect(one.logs).toMatchObject([
      { address: contract, logIndex: 1, transactionIndex: 1, transactionHash: hashes[1], removed: false, data: word(2) },
    ]);
    expect(one.logs[0]?.topics).toEqual([PINGED, padHex(alice.address.toLowerCase() as Hex, { size: 32 })]);
  });

  it('finds a transaction by its place, and nothing at a place that is empty', async () => {
    const hash = await f.wallet.sendTransaction({ to: beggar.address, value: 1n });
    const { hash: blockHash, block } = await f.build();
    const { number } = block.header;
    const byNumber = await f.client.getTransaction({ blockNumber: number, index: 0 });
    expect(byNumber.hash).toBe(hash);
    const id = `0x${Buffer.from(blockHash).toString('hex')}` as Hex;
    expect(await f.client.getTransaction({ blockHash: id, index: 0 })).toEqual(byNumber);
    expect((await f.call('eth_getTransactionByBlockHashAndIndex', id, '0x1')).result).toBeNull();
    expect((await f.call('eth_getTransactionByBlockNumberAndIndex', '0xffff', '0x0')).result).toBeNull();
    expect(await f.client.getBlockTransactionCount({ blockHash: id })).toBe(1);
    expect(await f.client.getBlockTransactionCount({ blockNumber: 0n })).toBe(0);
  });
});

describe('refusing transactions', () => {
  it('is understood by viem: nonce too low', async () => {
    expect(await failsWith(f.wallet.sendTransaction({ to: beggar.address, nonce: 0, ...fees }), NonceTooLowError)).toBe(true);
  });

  it('is understood by viem: insufficient funds', async () => {
    const sent = f.wallet.sendTransaction({ account: beggar, to: alice.address, value: parseEther('1'), ...fees });
    expect(await failsWith(sent, InsufficientFundsError)).toBe(true);
  });

  it('has code −32000 and the reason, for types that the chain does not take too', async () => {
    const known = await f.wallet.signTransaction({ to: beggar.address, nonce: 10_000, ...fees } as never);
    expect((await f.call('eth_sendRawTransaction', known)).error).toBeUndefined();
    expect((await f.call('eth_sendRawTransaction', known)).error).toEqual({ code: -32000, message: 'already known' });
    expect((await f.call('eth_sendRawTransaction', '0x7cc0')).error).toMatchObject({
      code: -32000,
      message: expect.stringMatching(/^transaction type not supported: system/),
    });
    expect((await f.call('eth_sendRawTransaction', '0x03c0')).error).toMatchObject({ code: -32000, message: expect.stringMatching(/blob/) });
    expect((await f.call('eth_sendRawTransaction', '0x02c0')).error.code).toBe(-32000);
    expect((await f.call('eth_sendRawTransaction', 'abc')).error).toEqual({
      code: -32602,
      message: 'invalid argument 0 (transaction): must be hex data with 0x and an even number of digits',
    });
  });
});
