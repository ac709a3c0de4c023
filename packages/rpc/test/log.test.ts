import type { ChainReader } from '@hemid/chain';
import { createRpcContext, invoke } from '@hemid/rpc';
import { type Hex, padHex } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Fixture, openFixture } from './fixture.ts';
import { PINGED, signalAbi } from './signal-contract.ts';
import { alice, beggar } from './test-chain.ts';

let f: Fixture;
let [one, two]: Hex[] = [];
const word = (n: number): Hex => padHex(`0x${n.toString(16)}`, { size: 32 });
const who = padHex(alice.address.toLowerCase() as Hex, { size: 32 });
/** The values of the pings that a filter finds. */
const find = async (filter: object): Promise<number[]> => (await f.call('eth_getLogs', filter)).result.map(({ data }: { data: Hex }) => Number(data));

beforeAll(async () => {
  f = await openFixture();
  one = await f.deploySignal();
  two = await f.deploySignal();
  for (const [contract, value] of [
    [one, 3],
    [two, 4],
    [one, 5],
  ] as [Hex, number][]) {
    await f.ping(contract, word(value));
    await f.build();
  }
});
afterAll(() => f.close());

describe('eth_getLogs', () => {
  it('finds by block range, the latest block when none is given', async () => {
    expect(await find({})).toEqual([5]);
    expect(await find({ fromBlock: 'earliest' })).toEqual([3, 4, 5]);
    expect(await find({ fromBlock: '0x3', toBlock: '0x4' })).toEqual([3, 4]);
    expect(await find({ fromBlock: '0x4', toBlock: 'latest' })).toEqual([4, 5]);
  });

  it('finds by address, one or several', async () => {
    expect(await find({ fromBlock: '0x0', address: one })).toEqual([3, 5]);
    expect(await find({ fromBlock: '0x0', address: [two] })).toEqual([4]);
    expect(await find({ fromBlock: '0x0', address: [one, two] })).toEqual([3, 4, 5]);
    expect(await find({ fromBlock: '0x0', address: beggar.address })).toEqual([]);
  });

  it('finds by topic: fixed, any, or one of several', async () => {
    expect(await find({ fromBlock: '0x0', topics: [PINGED] })).toEqual([3, 4, 5]);
    expect(await find({ fromBlock: '0x0', topics: [null, who] })).toEqual([3, 4, 5]);
    expect(await find({ fromBlock: '0x0', topics: [[word(1), PINGED], who] })).toEqual([3, 4, 5]);
    expect(await find({ fromBlock: '0x0', topics: [who] })).toEqual([]);
    expect(await find({ fromBlock: '0x0', topics: [PINGED, word(1)] })).toEqual([]);
    expect(await find({ fromBlock: '0x0', topics: [PINGED, who, null] })).toEqual([]);
  });

  it('finds in one block by its hash', async () => {
    const { hash } = await f.client.getBlock({ blockNumber: 4n });
    expect(await find({ blockHash: hash })).toEqual([4]);
    expect((await f.call('eth_getLogs', { blockHash: word(1) })).error).toEqual({ code: -32000, message: `unknown block ${word(1)}` });
    expect((await f.call('eth_getLogs', { blockHash: hash, fromBlock: '0x1' })).error.message).toMatch(/cannot specify both blockHash/);
  });

  it('is decoded by viem', async () => {
    const logs = await f.client.getContractEvents({ abi: signalAbi, address: two as Hex, eventName: 'Pinged', fromBlock: 0n });
    expect(logs).toMatchObject([{ args: { who: alice.address, value: word(4) }, blockNumber: 4n, logIndex: 0, removed: false }]);
  });

  it('refuses ranges it cannot search and says what to ask instead', async () => {
    expect((await f.call('eth_getLogs', { fromBlock: '0x4', toBlock: '0x3' })).error).toMatchObject({
      code: -32602,
      message: expect.stringMatching(/^invalid block range/),
    });
    expect((await f.call('eth_getLogs', { topics: [null, null, null, null, null] })).error.code).toBe(-32602);
    for (const beyond of [{ fromBlock: '0xffff' }, { fromBlock: '0x4', toBlock: '0xffff' }]) {
      expect((await f.call('eth_getLogs', beyond)).error).toMatchObject({
        code: -32602,
        message: expect.stringMatching(/^block range extends beyond current head block: 65535 is asked for, the head is/),
      });
    }
    const head = f.chain.head('latest');
    const top = { ...head, header: { ...head.header, number: 25_000n } };
    const tall: ChainReader = { ...f.chain, head: () => top, headerAt: () => top };
    const context = createRpcContext({ ...f.deps, chain: tall });
    const search = (fromBlock: string) => invoke('eth_getLogs', [{ fromBlock }], context);
    await expect(search('0x1')).rejects.toMatchObject({ code: 'rpc/limit', message: expect.stringContaining('ask for blocks 1 to 10000 first') });
    await expect(search('0x3a99')).resolves.toEqual([]);
    context.close();
  });
});

describe('filters', () => {
  const changes = async (id: Hex) => (await f.call('eth_getFilterChanges', id)).result;

  it('collect logs that match from now on, each once', async () => {
    const id = (await f.call('eth_newFilter', { address: one, topics: [PINGED] })).result;
    expect(await changes(id)).toEqual([]);
    await f.ping(one as Hex, word(6));
    await f.ping(two as Hex, word(7));
    await f.build();
    expect(await changes(id)).toMatchObject([{ address: one, data: word(6), removed: false }]);
    expect(await changes(id)).toEqual([]);
    const all = (await f.call('eth_newFilter', { address: one, fromBlock: '0x0' })).result;
    expect((await f.call('eth_getFilterLogs', all)).result.map(({ data }: { data: Hex }) => Number(data))).toEqual([3, 5, 6]);
  });

  it('collect hashes of blocks and of waiting transactions', async () => {
    const blocks = (await f.call('eth_newBlockFilter')).result;
    const transactions = (await f.call('eth_newPendingTransactionFilter')).result;
    const sent = await f.wallet.sendTransaction({ to: beggar.address, value: 1n });
    await f.build();
    expect(await changes(transactions)).toEqual([sent]);
    expect(await changes(blocks)).toEqual([(await f.client.getBlock()).hash]);
    expect((await f.call('eth_getFilterLogs', blocks)).error.message).toBe('filter not found');
  });

  it('serve viem, which polls them', async () => {
    const seen = new Promise<unknown>((resolve) => {
      const stop = f.client.watchContractEvent({
        abi: signalAbi,
        address: one as Hex,
        eventName: 'Pinged',
        pollingInterval: 10,
        onLogs: (logs) => {
          stop();
          resolve(logs[0]?.args.value);
        },
      });
    });
    // viem opens its filter at its first poll; what comes before that is not for it.
    await expect
      .poll(async () => {
        await f.ping(one as Hex, word(9));
        await f.build();
        return Promise.race([seen, undefined]);
      })
      .toBe(word(9));
  });

  it('are closed by their owner, and after five minutes in which nobody asks', async () => {
    const gone = { code: -32000, message: 'filter not found' };
    const id = (await f.call('eth_newBlockFilter')).result;
    expect((await f.call('eth_uninstallFilter', id)).result).toBe(true);
    expect((await f.call('eth_uninstallFilter', id)).result).toBe(false);
    expect((await f.call('eth_getFilterChanges', id)).error).toEqual(gone);
    const [kept, forgotten] = [(await f.call('eth_newBlockFilter')).result, (await f.call('eth_newBlockFilter')).result];
    await f.clock.advance(4 * 60_000);
    expect(await changes(kept)).toEqual([]);
    await f.clock.advance(2 * 60_000);
    expect(await changes(kept)).toEqual([]);
    expect((await f.call('eth_getFilterChanges', forgotten)).error).toEqual(gone);
  });

  it('are bounded in number', async () => {
    let refused: Answer;
    for (let i = 0; i < 1001 && refused === undefined; i += 1) refused = (await f.call('eth_newBlockFilter')).error;
    expect(refused).toMatchObject({ code: -32005, message: expect.stringMatching(/^too many filters/) });
    await f.clock.advance(6 * 60_000);
    expect((await f.call('eth_newBlockFilter')).error).toBeUndefined();
  });
});
