import { type Hex, padHex } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type Fixture, openFixture } from './fixture.ts';
import { PINGED } from './signal-contract.ts';
import { alice, beggar } from './test-chain.ts';

const word = (value: number): Hex => padHex(`0x${value.toString(16)}`, { size: 32 });
const lower = (text: string): string => text.toLowerCase();
/** Forwards all of its calldata to the address in its first word, with 5 wei, and returns what it gets; 0x5b.. below. */
const FORWARDER = '0x60203603806020600037600060008260006005600035' + '5af1' + '3d6000803e3d6000f3';

let f: Fixture;
let contract: Hex;
let ping: Hex;
beforeAll(async () => {
  f = await openFixture();
  contract = lower(await f.deploySignal()) as Hex;
  ping = await f.ping(contract, word(7));
  await f.wallet.sendTransaction({ to: beggar.address, value: 3n, nonce: 2 });
  await f.build();
});
afterAll(() => f.close());

const trace = async (hash: Hex, options?: object): Promise<Answer> => (await f.call('debug_traceTransaction', hash, options)).result;

describe('debug_traceTransaction', () => {
  it('gives every opcode, with the gas that the receipt states', async () => {
    const { gasUsed } = await f.client.getTransactionReceipt({ hash: ping });
    const { gas, failed, structLogs } = await trace(ping);
    expect({ gas: BigInt(gas), failed }).toEqual({ gas: gasUsed, failed: false });
    expect(structLogs[0]).toMatchObject({ pc: 0, depth: 1, stack: [] });
    const store = structLogs.find(({ op }: Answer) => op === 'SSTORE');
    expect(store.storage).toEqual({ [word(0)]: word(7) });
    for (const [i, { gas: left, gasCost }] of structLogs.slice(0, -1).entries()) expect(structLogs[i + 1].gas).toBe(left - gasCost);
  });

  it('leaves out and adds what it is told to', async () => {
    const { structLogs } = await trace(ping, { disableStack: true, disableStorage: true, enableMemory: true, limit: 20 });
    expect(structLogs).toHaveLength(20);
    expect(structLogs.every((log: Answer) => log.stack === undefined && log.storage === undefined && Array.isArray(log.memory))).toBe(true);
  });

  it('gives calls as a tree, with logs', async () => {
    const { gasUsed } = await f.client.getTransactionReceipt({ hash: ping });
    const root = await trace(ping, { tracer: 'callTracer', tracerConfig: { withLog: true } });
    expect(root).toMatchObject({ type: 'CALL', from: lower(alice.address), to: contract, value: '0x0', gasUsed: `0x${gasUsed.toString(16)}` });
    expect(root.logs).toMatchObject([
      { address: contract, topics: [PINGED, padHex(lower(alice.address) as Hex, { size: 32 })], data: word(7), position: '0x0' },
    ]);
    expect((await trace(ping, { tracer: 'callTracer' })).logs).toBeUndefined();
  });

  it('gives calls as a list', async () => {
    const [call] = await trace(ping, { tracer: 'flatCallTracer' });
    expect(call).toMatchObject({ type: 'call', subtraces: 0, traceAddress: [], transactionHash: ping, action: { callType: 'call', to: contract } });
  });

  it('gives the accounts before, and what became of them', async () => {
    const before = await trace(ping, { tracer: 'prestateTracer' });
    expect(before[contract].storage).toEqual({ [word(0)]: word(0) });
    expect(before[lower(alice.address)]).toMatchObject({ nonce: 1 });
    const { pre, post } = await trace(ping, { tracer: 'prestateTracer', tracerConfig: { diffMode: true } });
    expect(post[contract]).toEqual({ storage: { [word(0)]: word(7) } });
    expect(post[lower(alice.address)].nonce).toBe(2);
    const paid = BigInt(pre[lower(alice.address)].balance) - BigInt(post[lower(alice.address)].balance);
    const { gasUsed, effectiveGasPrice } = await f.client.getTransactionReceipt({ hash: ping });
    expect(paid).toBe(gasUsed * effectiveGasPrice);
  });

  it('counts selectors, and runs several tracers at once', async () => {
    const both = await trace(ping, { tracer: 'muxTracer', tracerConfig: { '4byteTracer': {}, callTracer: { onlyTopCall: true } } });
    expect(Object.values(both['4byteTracer'])).toEqual([1]);
    expect(Object.keys(both['4byteTracer'])[0]).toMatch(/^0x[0-9a-f]{8}-32$/);
    expect(both.callTracer.to).toBe(contract);
  });

  it('refuses what it does not know', async () => {
    expect((await f.call('debug_traceTransaction', ping, { tracer: '{step: function() {}}' })).error).toMatchObject({ code: -32602 });
    expect((await f.call('debug_traceTransaction', word(1))).error).toEqual({ code: -32000, message: 'transaction not found' });
    expect((await f.call('debug_traceBlockByNumber', '0x0')).error).toEqual({ code: -32000, message: 'genesis is not traceable' });
  });
});

describe('debug_traceBlockByNumber', () => {
  it('traces every transaction of a block on the state that the one before it left', async () => {
    const block = await f.client.getBlock({ blockNumber: 2n });
    const traces = (await f.call('debug_traceBlockByNumber', '0x2', { tracer: 'callTracer' })).result;
    expect(traces.map(({ txHash }: Answer) => txHash)).toEqual(block.transactions);
    expect(traces.at(-1).result).toMatchObject({ type: 'CALL', to: lower(beggar.address), value: '0x3', gasUsed: '0x5208' });
    expect((await f.call('debug_traceBlockByHash', block.hash, { tracer: 'callTracer' })).result).toEqual(traces);
  });
});

describe('debug_traceCall', () => {
  it('survives every opcode on operands as large as they get', async () => {
    const at = `0x${'99'.repeat(20)}`;
    for (let opcode = 0; opcode < 256; opcode += 1) {
      const code = `0x${`7f${'ff'.repeat(32)}`.repeat(7)}${opcode.toString(16).padStart(2, '0')}`;
      const options = {
        tracer: 'muxTracer',
        tracerConfig: { callTracer: { withLog: true }, prestateTracer: {} },
        stateOverrides: { [at]: { code } },
      };
      const { result, error } = await f.call('debug_traceCall', { to: at, gas: '0x186a0' }, 'latest', options);
      expect(result, `${opcode.toString(16)}: ${JSON.stringify(error)}`).toBeDefined();
    }
  });

  it('shows no log whose gas does not last', async () => {
    const at = `0x${'99'.repeat(20)}`;
    // LOG0 of 2^256 - 1 bytes.
    const options = { tracer: 'callTracer', tracerConfig: { withLog: true }, stateOverrides: { [at]: { code: `0x7f${'ff'.repeat(32)}6000a0` } } };
    const root = (await f.call('debug_traceCall', { to: at }, 'latest', options)).result;
    expect(root.error).toBe('out of gas');
    expect(root.logs).toBeUndefined();
  });

  it('shows the calls of a message on a state that the caller makes up', async () => {
    const at = `0x${'99'.repeat(20)}`;
    const call = { from: alice.address, to: at, data: padHex(contract, { size: 32 }) };
    const options = { tracer: 'callTracer', stateOverrides: { [at]: { code: FORWARDER, balance: '0x10' } } };
    const root = (await f.call('debug_traceCall', call, 'latest', options)).result;
    expect(root).toMatchObject({
      type: 'CALL',
      to: at,
      calls: [{ type: 'CALL', from: at, to: contract, value: '0x5', error: 'execution reverted' }],
    });
  });
});

describe('a trace that grows too large', () => {
  it('ends with advice', async () => {
    const at = `0x${'99'.repeat(20)}`;
    // Touches 100 kB of memory, then goes round and round.
    const options = { enableMemory: true, stateOverrides: { [at]: { code: '0x6201900051505b600656' } } };
    expect((await f.call('debug_traceCall', { to: at }, 'latest', options)).error).toMatchObject({
      code: -32005,
      message: expect.stringContaining('ask for'),
    });
  });
});

describe('Otterscan', () => {
  it('sees contracts, their makers, blocks and the transactions of an address', async () => {
    const ots = async (method: string, ...params: unknown[]): Promise<Answer> => (await f.call(`ots_${method}`, ...params)).result;
    expect(await ots('getApiLevel')).toBe(8);
    expect(await ots('hasCode', contract, 'latest')).toBe(true);
    expect(await ots('getContractCreator', contract)).toMatchObject({ creator: lower(alice.address) });
    expect(await ots('getTransactionBySenderAndNonce', alice.address, 1)).toBe(ping);
    expect((await ots('getBlockDetails', 2)).block).toMatchObject({ number: '0x2', transactionCount: 2 });
    expect((await ots('getBlockTransactions', 2, 0, 2)).fullblock.transactions).toHaveLength(2);
    const { txs, firstPage } = await ots('searchTransactionsBefore', contract, 0, 10);
    expect(txs.map(({ hash }: Answer) => hash)).toEqual([ping]);
    expect(firstPage).toBe(true);
    expect(await ots('traceTransaction', ping)).toMatchObject([{ type: 'CALL', depth: 0, to: contract }]);
    expect(await ots('getInternalOperations', ping)).toEqual([]);
    expect(await ots('getTransactionError', ping)).toBe('0x');
    expect((await f.call('erigon_getHeaderByNumber', '0x2')).result.number).toBe('0x2');
  });
});

describe('eth_simulateV1', () => {
  it('builds blocks that follow one another and says what each call did', async () => {
    const calls = [{ from: beggar.address, to: contract, input: `0x${'00'.repeat(4)}` }];
    const funded = { [beggar.address]: { balance: '0x64' } };
    const request = {
      blockStateCalls: [
        { stateOverrides: funded, calls: [{ from: beggar.address, to: alice.address, value: '0x5' }] },
        { calls: [...calls, { from: beggar.address, to: alice.address, value: '0x5f' }] },
      ],
      traceTransfers: true,
    };
    const [first, second] = (await f.call('eth_simulateV1', request, 'latest')).result;
    expect(first.number).toBe('0x3');
    expect(second.parentHash).toBe(first.hash);
    expect(first.calls[0]).toMatchObject({ status: '0x1', logs: [{ address: `0x${'ee'.repeat(20)}`, data: word(5) }] });
    expect(second.calls.map(({ status }: Answer) => status)).toEqual(['0x0', '0x1']);
    expect((await f.client.getBlockNumber({ cacheTime: 0 })) === 2n).toBe(true);
    const poor = { blockStateCalls: [{ calls: [{ from: beggar.address, to: alice.address, value: '0xffffff' }] }] };
    expect((await f.call('eth_simulateV1', poor)).error.code).toBe(-38014);
    expect((await f.call('eth_simulateV1', { blockStateCalls: Array(257).fill({}) })).error.code).toBe(-38026);
    expect((await f.call('eth_simulateV1', { blockStateCalls: [{ blockOverrides: { number: '0x2' } }] })).error.code).toBe(-38020);
  });
});
