import { hashKeystone, toDigits } from '@hemid/protocol';
import { encodeFunctionData, type Hex, padHex } from 'viem';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { type Answer, type Fixture, openFixture } from './fixture.ts';
import { PINGED, signalAbi } from './signal-contract.ts';
import { beggar, openTestChain } from './test-chain.ts';

let f: Fixture;
const word = (n: number): Hex => padHex(`0x${n.toString(16)}`, { size: 32 });
beforeEach(async () => {
  f = await openFixture();
});
afterEach(() => f.close());

/** A bare websocket: what it received, in order, and a call that waits for its answer. */
async function openRaw(options: WebSocket.ClientOptions = {}) {
  const socket = new WebSocket(f.server.url().replace('http', 'ws'), options);
  const received: Answer[] = [];
  const waiting = new Map<unknown, (answer: Answer) => void>();
  socket.on('message', (text) => {
    const message = JSON.parse(String(text));
    received.push(message);
    waiting.get(message.id)?.(message);
  });
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  await new Promise((resolve) => socket.on('open', resolve));
  let calls = 0;
  const call = (method: string, ...params: unknown[]): Promise<Answer> => {
    calls += 1;
    const answer = new Promise((resolve) => waiting.set(calls, resolve));
    socket.send(JSON.stringify({ jsonrpc: '2.0', id: calls, method, params }));
    return answer;
  };
  /** Results of the notifications of a subscription so far. */
  const notes = (id: string): Answer[] => received.filter(({ params }) => params?.subscription === id).map(({ params }) => params.result);
  return { socket, received, closed, call, notes };
}

describe('subscriptions', () => {
  it('bring viem new heads, logs and waiting transactions over a websocket', async () => {
    const contract = await f.deploySignal();
    const client = f.openSocket();
    const [numbers, values, hashes]: [bigint[], unknown[], Hex[]] = [[], [], []];
    client.watchBlocks({ onBlock: ({ number }) => void numbers.push(number as bigint) });
    client.watchContractEvent({
      abi: signalAbi,
      address: contract,
      eventName: 'Pinged',
      onLogs: (logs) => values.push(...logs.map(({ args }) => args.value)),
    });
    client.watchPendingTransactions({ onTransactions: (some) => hashes.push(...some) });
    // The three subscriptions were sent before this call: its answer says that they stand.
    await client.getBlockNumber();
    const sent = await f.ping(contract, word(11));
    await f.build();
    await expect.poll(() => ({ numbers, values, hashes })).toEqual({ numbers: [2n], values: [word(11)], hashes: [sent] });
    (await client.transport.getRpcClient()).close();
  });

  it('answer before they notify', async () => {
    const { socket, received } = await openRaw();
    const transaction = await f.wallet.signTransaction({
      to: beggar.address,
      value: 1n,
      nonce: 0,
      gas: 21_000n,
      maxFeePerGas: 10n ** 9n,
      maxPriorityFeePerGas: 1n,
    } as never);
    const calls = [
      ['eth_subscribe', 'newPendingTransactions'],
      ['eth_sendRawTransaction', transaction],
    ];
    socket.send(JSON.stringify(calls.map(([method, param], id) => ({ jsonrpc: '2.0', id, method, params: [param] }))));
    await expect.poll(() => received).toHaveLength(2);
    const [subscription, result] = received[0].map((answer: { result: string }) => answer.result);
    expect(received[1].params).toEqual({ subscription, result });
  });

  it('show a header whole', async () => {
    const { call, received, notes } = await openRaw();
    const id = (await call('eth_subscribe', 'newHeads')).result;
    await f.build();
    await expect.poll(() => notes(id)).toHaveLength(1);
    const { transactions, uncles, withdrawals, size, ...header } = (await f.call('eth_getBlockByNumber', 'latest', false)).result;
    expect(received[1]).toEqual({ jsonrpc: '2.0', method: 'eth_subscription', params: { subscription: id, result: header } });
  });

  it('take logs back at a reorg, then bring those of the other branch', async () => {
    const contract = await f.deploySignal();
    const { call, notes } = await openRaw();
    const logs = (await call('eth_subscribe', 'logs', { address: contract, topics: [PINGED] })).result;
    const heads = (await call('eth_subscribe', 'newHeads')).result;
    const filter = (await f.call('eth_newFilter', { address: contract })).result;
    const rival = await openTestChain(f.clock);
    const first = f.chain.block((f.chain.headerAt(1n) as { hash: Uint8Array }).hash);
    if (first === undefined) throw new Error('block 1 is here');
    await rival.take(first);
    for (const values of [[1], [2, 7]]) {
      for (const value of values) await f.ping(contract, word(value));
      await f.build();
    }
    const raw = await f.wallet.signTransaction(
      (await f.wallet.prepareTransactionRequest({
        to: contract,
        data: encodeFunctionData({ abi: signalAbi, functionName: 'ping', args: [word(3)] }),
        nonce: 1,
        gas: 100_000n,
        maxFeePerGas: 10n ** 9n,
        maxPriorityFeePerGas: 1n,
      })) as never,
    );
    await rival.pool.submit(Uint8Array.from(Buffer.from(raw.slice(2), 'hex')));
    for (const block of [await rival.build(), await rival.build(), await rival.build()]) await f.take(block);
    expect(await f.client.getBlockNumber()).toBe(4n);
    const expected = [
      [1, false],
      [2, false],
      [7, false],
      [7, true],
      [2, true],
      [1, true],
      [3, false],
    ];
    await expect.poll(() => notes(logs).map(({ data, removed }) => [Number(data), removed])).toEqual(expected);
    expect((await f.call('eth_getFilterChanges', filter)).result.map(({ data, removed }: Answer) => [Number(data), removed])).toEqual(expected);
    expect(notes(heads).map(({ number }) => Number(number))).toEqual([2, 3, 2, 3, 4]);
    const own = notes(logs);
    expect(own[4]).toEqual({ ...own[1], removed: true });
    // Nor does a search find what was taken back, nor a number the block that stood there.
    const found = (await f.call('eth_getLogs', { fromBlock: '0x0', address: contract })).result;
    expect(found.map(({ data }: Answer) => Number(data))).toEqual([3]);
    expect((await f.call('eth_getBlockByNumber', '0x2', false)).result.hash).toBe(found[0].blockHash);
    await rival.close();
  });

  it('say when the node begins to catch up, and when it is at the head again', async () => {
    const { call, notes } = await openRaw();
    const before = (await call('eth_subscribe', 'syncing')).result;
    await f.build();
    f.reasons.push('far behind');
    await f.buildMany(2);
    const during = (await call('eth_subscribe', 'syncing')).result;
    f.reasons.length = 0;
    await f.buildMany(2);
    const begun = { syncing: true, status: { startingBlock: '0x0', currentBlock: '0x1', highestBlock: '0x10' } };
    await expect
      .poll(() => [notes(before), notes(during)])
      .toEqual([
        [begun, false],
        [begun, false],
      ]);
  });

  it('give whole transactions when asked to', async () => {
    const { call, notes } = await openRaw();
    const id = (await call('eth_subscribe', 'newPendingTransactions', true)).result;
    const hash = await f.wallet.sendTransaction({ to: beggar.address, value: 77n });
    await expect.poll(() => notes(id)).toMatchObject([{ hash, value: '0x4d', blockHash: null }]);
  });

  it('tell miners of new keystones', async () => {
    const { call, received } = await openRaw();
    const id = (await call('kss_subscribe', 'newKeystones')).result;
    await f.buildMany(4);
    await call('eth_blockNumber');
    expect(received.filter(({ method }) => method !== undefined)).toEqual([]);
    await f.build();
    const internal = toDigits(hashKeystone(f.chain.keystone(f.chain.head('latest'))));
    await expect
      .poll(() => received.at(-1))
      .toEqual({ jsonrpc: '2.0', method: 'kss_subscription', params: { subscription: id, result: `New Keystone Available: ${internal}` } });
    expect((await call('kss_unsubscribe', id)).result).toBe(true);
  });

  it('end when they are told to', async () => {
    const { call, notes } = await openRaw();
    const [kept, ended] = [(await call('eth_subscribe', 'newHeads')).result, (await call('eth_subscribe', 'newHeads')).result];
    expect((await call('eth_unsubscribe', ended)).result).toBe(true);
    expect((await call('eth_unsubscribe', ended)).error).toEqual({ code: -32000, message: 'subscription not found' });
    await f.build();
    await expect.poll(() => notes(kept)).toHaveLength(1);
    expect(notes(ended)).toEqual([]);
  });

  it('are refused where they cannot be', async () => {
    const { call } = await openRaw();
    expect((await call('eth_subscribe', 'newKeystones')).error).toEqual({ code: -32601, message: 'no "newKeystones" subscription in eth namespace' });
    expect((await call('eth_subscribe', 'toString')).error.code).toBe(-32601);
    expect((await call('eth_subscribe', 'logs', { address: '0x12' })).error.code).toBe(-32602);
    expect((await f.call('eth_subscribe', 'newHeads')).error).toMatchObject({
      code: -32601,
      message: expect.stringMatching(/^notifications not supported/),
    });
    for (let i = 0; i < 512; i += 1) await call('eth_subscribe', 'newHeads');
    expect((await call('eth_subscribe', 'newHeads')).error.code).toBe(-32005);
  });
});

describe('websockets', () => {
  it('answer everything of a burst, and batches', async () => {
    const { call, socket, received } = await openRaw();
    const answers = await Promise.all(Array.from({ length: 500 }, () => call('eth_chainId')));
    expect(new Set(answers.map(({ result }) => result))).toEqual(new Set(['0x4279']));
    socket.send('[{"jsonrpc":"2.0","id":"a","method":"net_version"},{"jsonrpc":"2.0","id":"b","method":"net_listening"}]');
    await expect
      .poll(() => received.at(-1))
      .toEqual([
        { jsonrpc: '2.0', id: 'a', result: '17017' },
        { jsonrpc: '2.0', id: 'b', result: true },
      ]);
    socket.send('nonsense');
    await expect.poll(() => received.at(-1)).toMatchObject({ id: null, error: { code: -32700 } });
  });

  it('are cut off when the client does not read', async () => {
    Object.assign(f.deps.status, { clientVersion: 'x'.repeat(4_000_000) });
    const { socket } = await openRaw();
    socket.on('error', () => undefined);
    socket.pause();
    for (let i = 0; i < 12; i += 1) socket.send(`{"jsonrpc":"2.0","id":${i},"method":"web3_clientVersion"}`);
    // It reads nothing, so only what it writes (a notification, for that is not answered) tells it that the other side is gone.
    const state = (): number => {
      socket.send('{"jsonrpc":"2.0","method":"net_listening"}', () => undefined);
      return socket.readyState;
    };
    await expect.poll(state, { timeout: 10_000 }).not.toBe(WebSocket.OPEN);
    expect((await f.call('eth_chainId')).result).toBe('0x4279');
  });

  it('are left alone while the client reads, however much it asks for', async () => {
    Object.assign(f.deps.status, { clientVersion: 'x'.repeat(4_000_000) });
    const { call } = await openRaw();
    for (let i = 0; i < 8; i += 1) expect((await call('web3_clientVersion')).result).toHaveLength(4_000_000);
  });

  it('are kept while the client answers pings, and cut off when it does not', async () => {
    const alive = await openRaw();
    const dead = await openRaw({ autoPong: false });
    const pinged = new Promise((resolve) => alive.socket.on('ping', resolve));
    await f.clock.advance(30_000);
    await pinged;
    // The pong was written before this call: its answer says that the server has it.
    await alive.call('eth_chainId');
    await f.clock.advance(30_000);
    await dead.closed;
    expect((await alive.call('eth_chainId')).result).toBe('0x4279');
  });

  it('end with the server, at once', { timeout: 1000 }, async () => {
    const { call, closed } = await openRaw();
    await call('eth_subscribe', 'newHeads');
    await f.server.stop();
    await closed;
    await expect(f.call('eth_chainId')).rejects.toThrow();
    expect(() => f.server.url()).toThrow(/does not listen/);
  });
});
