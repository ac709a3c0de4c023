import type { ChainReader } from '@hemid/chain';
import { createRpcContext, invoke } from '@hemid/rpc';
import { type Hex, keccak256, numberToHex, padHex, parseEther, parseGwei, toHex, toRlp } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, openFixture } from './fixture.ts';
import { alice, beggar, CHAIN_ID, GENESIS_TIME } from './test-chain.ts';

let f: Fixture;
let contract: Hex;
const word = (n: number): Hex => padHex(`0x${n.toString(16)}`, { size: 32 });

beforeAll(async () => {
  f = await openFixture();
  contract = await f.deploySignal();
  await f.ping(contract, word(7));
  await f.build();
  await f.ping(contract, word(8));
  await f.wallet.sendTransaction({ to: beggar.address, value: 1n, type: 'legacy' });
  await f.build();
});
afterAll(() => f.close());

/** The header's fields in RLP order. */
const FIELDS = [
  ...[
    'parentHash',
    'sha3Uncles',
    'miner',
    'stateRoot',
    'transactionsRoot',
    'receiptsRoot',
    'logsBloom',
    'difficulty',
    'number',
    'gasLimit',
    'gasUsed',
  ],
  ...[
    'timestamp',
    'extraData',
    'mixHash',
    'nonce',
    'baseFeePerGas',
    'withdrawalsRoot',
    'blobGasUsed',
    'excessBlobGas',
    'parentBeaconBlockRoot',
    'requestsHash',
  ],
];
const QUANTITIES = new Set(['difficulty', 'number', 'gasLimit', 'gasUsed', 'timestamp', 'baseFeePerGas', 'blobGasUsed', 'excessBlobGas']);

function rlpItem(name: string, value: Hex): Hex {
  if (!QUANTITIES.has(name)) return value;
  return value === '0x0' ? '0x' : value.length % 2 === 0 ? value : `0x0${value.slice(2)}`;
}

describe('blocks', () => {
  it('carry every field of the header: the hash is that of their RLP, the size that of the block', async () => {
    const { result } = await f.call('eth_getBlockByNumber', 'latest', false);
    const header = FIELDS.map((name) => rlpItem(name, result[name]));
    expect(keccak256(toRlp(header))).toBe(result.hash);
    const raws = f.chain.block(f.chain.head('latest').hash)?.block.transactions ?? [];
    expect(raws.map((raw) => keccak256(raw))).toEqual(result.transactions);
    // A legacy transaction is itself a list: its fields are three bytes of prefix shorter than as a string.
    const legacy = raws[1] as Uint8Array;
    expect(legacy[0]).toBeGreaterThanOrEqual(0xc0);
    const asString = toRlp([header, raws.map((raw) => `0x${Buffer.from(raw).toString('hex')}` as Hex), [], []]);
    expect(Number(result.size)).toBe((asString.length - 2) / 2 - 2);
    expect(result).toMatchObject({ uncles: [], withdrawals: [], blobGasUsed: '0x0', excessBlobGas: '0x0' });
  });

  it('are made JSON once, they, their receipts and their logs: asked for again, nothing is read', async () => {
    const reads: string[] = [];
    const chain: ChainReader = {
      ...f.chain,
      block: (hash) => {
        reads.push('block');
        return f.chain.block(hash);
      },
      receipts: (hash) => {
        reads.push('receipts');
        return f.chain.receipts(hash);
      },
    };
    const context = createRpcContext({ ...f.deps, chain });
    const { hash } = f.chain.head('latest');
    const [first] = f.chain.block(hash)?.block.transactions ?? [];
    const transaction = keccak256(first as Uint8Array);
    for (const [method, ...params] of [
      ['eth_getBlockByNumber', 'latest', true],
      ['eth_getBlockByHash', toHex(hash), false],
      ['eth_getBlockReceipts', 'latest'],
      ['eth_getTransactionReceipt', transaction],
      ['eth_getTransactionByHash', transaction],
      ['eth_getLogs', { fromBlock: '0x0', topics: [] }],
    ] as [string, ...unknown[]][]) {
      const answer = await invoke(method, params, context);
      expect(answer).toEqual((await f.call(method, ...params)).result);
      reads.length = 0;
      expect(await invoke(method, params, context)).toEqual(answer);
      expect(reads).toEqual([]);
    }
    context.close();
  });

  it('are found by tag, number and hash', async () => {
    expect(await f.client.getBlockNumber()).toBe(3n);
    const latest = await f.client.getBlock();
    expect(latest.number).toBe(3n);
    expect(await f.client.getBlock({ blockNumber: 3n })).toEqual(latest);
    expect(await f.client.getBlock({ blockHash: latest.hash })).toEqual(latest);
    expect((await f.client.getBlock({ blockTag: 'pending' })).number).toBe(3n);
    expect(await f.client.getBlock({ blockTag: 'earliest' })).toMatchObject({ number: 0n, timestamp: BigInt(GENESIS_TIME), transactions: [] });
  });

  it('carry whole transactions when asked to', async () => {
    const block = await f.client.getBlock({ includeTransactions: true });
    expect(block.transactions.map(({ from, to, type }) => ({ from, to, type }))).toEqual([
      { from: alice.address.toLowerCase(), to: contract, type: 'eip1559' },
      { from: alice.address.toLowerCase(), to: beggar.address.toLowerCase(), type: 'legacy' },
    ]);
  });

  it('are null when they are not here', async () => {
    expect((await f.call('eth_getBlockByNumber', '0xffff', true)).result).toBeNull();
    expect((await f.call('eth_getBlockByHash', word(1), false)).result).toBeNull();
    expect((await f.call('eth_getBlockReceipts', '0xffff')).result).toBeNull();
    expect((await f.call('eth_getBlockTransactionCountByNumber', '0xffff')).result).toBeNull();
    expect((await f.call('eth_getTransactionByHash', word(1))).result).toBeNull();
  });

  it('follow the labels that finality sets', async () => {
    const [one, two] = [f.chain.headerAt(1n), f.chain.headerAt(2n)];
    if (one === undefined || two === undefined) throw new Error('the chain has three blocks');
    await f.chain.setLabels({ safe: two, finalized: one });
    expect((await f.client.getBlock({ blockTag: 'safe' })).number).toBe(2n);
    expect((await f.client.getBlock({ blockTag: 'finalized' })).number).toBe(1n);
  });
});

describe('state', () => {
  it('is read as each block left it', async () => {
    expect(await f.client.getBalance({ address: alice.address, blockNumber: 0n })).toBe(parseEther('1000'));
    expect(await f.client.getBalance({ address: beggar.address })).toBe(1n);
    expect(await f.client.getBalance({ address: beggar.address, blockNumber: 2n })).toBe(0n);
    expect(await f.client.getStorageAt({ address: contract, slot: '0x0', blockNumber: 2n })).toBe(word(7));
    expect(await f.client.getStorageAt({ address: contract, slot: '0x0' })).toBe(word(8));
    expect(await f.client.getTransactionCount({ address: alice.address, blockNumber: 1n })).toBe(1);
    expect((await f.call('eth_getCode', contract, '0x0')).result).toBe('0x');
  });

  it('is read by the hash of a block (EIP-1898)', async () => {
    const { hash } = await f.client.getBlock({ blockNumber: 2n });
    expect((await f.call('eth_getStorageAt', contract, '0x0', { blockHash: hash, requireCanonical: true })).result).toBe(word(7));
    expect((await f.call('eth_getStorageAt', contract, '0x0', hash)).result).toBe(word(7));
    expect((await f.call('eth_getStorageAt', contract, '0x0', { blockNumber: '0x2' })).result).toBe(word(7));
  });

  it('of an unknown block is an error', async () => {
    const expected = { code: -32000, message: 'header not found' };
    expect((await f.call('eth_getBalance', alice.address, '0xffff')).error).toEqual(expected);
    expect((await f.call('eth_call', { to: contract }, { blockHash: word(1) })).error).toEqual(expected);
  });

  it('is proven down from the state root', async () => {
    const block = await f.client.getBlock();
    const proof = await f.client.getProof({ address: contract, storageKeys: [word(0), word(5)] });
    expect(keccak256(proof.accountProof[0] as Hex)).toBe(block.stateRoot);
    expect(keccak256(proof.storageProof[0]?.proof[0] as Hex)).toBe(proof.storageHash);
    expect(proof.storageProof.map(({ key, value }) => ({ key, value }))).toEqual([
      { key: word(0), value: 8n },
      { key: word(5), value: 0n },
    ]);
    const account = toRlp([numberToHex(proof.nonce), '0x', proof.storageHash, proof.codeHash]);
    expect(proof.accountProof.at(-1)).toContain(account.slice(2));
    const absent = (await f.call('eth_getProof', `0x${'77'.repeat(20)}`, ['0x1'], 'latest')).result;
    expect(absent).toMatchObject({ nonce: '0x0', balance: '0x0', storageProof: [{ key: '0x1', value: '0x0', proof: [] }] });
    expect(keccak256(absent.accountProof[0])).toBe(block.stateRoot);
  });
});

describe('the chain as a whole', () => {
  it('says who it is', async () => {
    expect(await f.client.getChainId()).toBe(CHAIN_ID);
    expect((await f.call('net_version')).result).toBe(String(CHAIN_ID));
    expect((await f.call('net_listening')).result).toBe(true);
    expect((await f.call('net_peerCount')).result).toBe('0x0');
    expect((await f.call('web3_clientVersion')).result).toBe('hemid/test');
    expect((await f.call('web3_sha3', '0x68656c6c6f')).result).toBe(keccak256('0x68656c6c6f'));
    expect((await f.call('eth_accounts')).result).toEqual([]);
  });

  it('says whether it is syncing', async () => {
    expect((await f.call('eth_syncing')).result).toBe(false);
    f.reasons.push('far behind');
    expect((await f.call('eth_syncing')).result).toEqual({ startingBlock: '0x0', currentBlock: '0x1', highestBlock: '0x10' });
    f.reasons.length = 0;
  });
});

describe('fees', () => {
  it('are foretold: the last base fee of the history is that of the next block', async () => {
    const history = await f.client.getFeeHistory({ blockCount: 3, rewardPercentiles: [0, 100] });
    expect(history.oldestBlock).toBe(1n);
    expect(history.baseFeePerGas).toHaveLength(4);
    expect(history.gasUsedRatio).toHaveLength(3);
    const latest = await f.client.getBlock();
    expect(history.gasUsedRatio[2]).toBeCloseTo(Number(latest.gasUsed) / 30_000_000, 10);
    await f.build();
    expect((await f.client.getBlock()).baseFeePerGas).toBe(history.baseFeePerGas[3]);
  });

  it('show the tips that were paid, by percentile of gas', async () => {
    const maxFeePerGas = parseGwei('50');
    await f.wallet.sendTransaction({ to: beggar.address, maxFeePerGas, maxPriorityFeePerGas: parseGwei('2') });
    await f.wallet.sendTransaction({ to: beggar.address, maxFeePerGas, maxPriorityFeePerGas: parseGwei('9') });
    await f.build();
    const history = await f.client.getFeeHistory({ blockCount: 1, rewardPercentiles: [0, 49, 51, 100] });
    expect(history.reward).toEqual([[2, 2, 9, 9].map((gwei) => parseGwei(String(gwei)))]);
    expect((await f.call('eth_feeHistory', 1, 'latest')).result.reward).toBeUndefined();
    expect((await f.call('eth_feeHistory', '0x400', 'latest')).result.oldestBlock).toBe('0x0');
    expect((await f.call('eth_feeHistory', '0x1', '0xffff')).error.message).toMatch(/^request beyond head block: requested 65535, head/);
    expect((await f.call('eth_feeHistory', '0x1', 'latest', [50, 10])).error).toMatchObject({
      code: -32602,
      message: expect.stringContaining('rewardPercentiles'),
    });
  });

  it('are suggested from what was paid, with a floor', async () => {
    const tip = await f.client.estimateMaxPriorityFeePerGas();
    expect(tip).toBeGreaterThan(1_000_000n);
    expect(tip).toBeLessThanOrEqual(parseGwei('9'));
    expect(await f.client.getGasPrice()).toBe(((await f.client.getBlock()).baseFeePerGas as bigint) + tip);
    await f.buildMany(20);
    expect(await f.client.estimateMaxPriorityFeePerGas()).toBe(1_000_000n);
  });
});
