import { request as httpRequest } from 'node:http';
import { createLimits, createRpcServer, type RpcServer } from '@hemid/rpc';
import { waitFor } from '@hemid/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Answer, type Fixture, openFixture } from './fixture.ts';

let f: Fixture;
let server: RpcServer | undefined;
beforeAll(async () => {
  f = await openFixture();
  await f.buildMany(12);
});
afterEach(() => server?.stop());
afterAll(() => f.close());

/** Serves the chain with limits of its own. */
async function serve(config: Parameters<typeof createLimits>[0]): Promise<string> {
  server = createRpcServer(f.deps, { host: '127.0.0.1', port: 0, limits: createLimits({ rpcCheckAnswers: true, ...config }) });
  await server.start(new AbortController().signal);
  return server.url();
}

const request = (method: string, ...params: unknown[]) => ({ jsonrpc: '2.0', id: 1, method, params });

async function send(url: string, body: unknown, headers: Record<string, string> = {}): Promise<{ status: number; answer: Answer }> {
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, answer: await response.json() };
}

/** A request with a Host header of its own, which fetch does not allow. */
function sendAs(url: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { method: 'POST', headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', reject).end(JSON.stringify(request('eth_chainId')));
  });
}

describe('a node on the open internet', () => {
  it('answers only the methods that are allowed', async () => {
    const url = await serve({ rpcMethods: 'eth_*,rpc.discover,-eth_simulateV1' });
    expect((await send(url, request('eth_chainId'))).answer.result).toBe('0x4279');
    for (const method of ['debug_traceTransaction', 'txpool_content', 'eth_simulateV1']) {
      expect((await send(url, request(method))).answer.error.code, method).toBe(-32601);
    }
    const names = (await send(url, request('rpc.discover'))).answer.result.methods.map(({ name }: { name: string }) => name);
    expect(names).toContain('eth_call');
    expect(names).not.toContain('eth_simulateV1');
  });

  it('takes batches and bodies of the size that it wants', async () => {
    const url = await serve({ rpcBatch: 2, rpcBodyKb: 1 });
    expect((await send(url, [request('eth_chainId'), request('eth_chainId')])).answer).toHaveLength(2);
    expect((await send(url, Array(3).fill(request('eth_chainId')))).answer.error).toEqual({
      code: -32600,
      message: 'batch too large: 3 calls, at most 2',
    });
    expect((await send(url, request('web3_sha3', `0x${'00'.repeat(1000)}`))).status).toBe(413);
  });

  it('cuts off who says nothing about the length of a body, and does not end it', async () => {
    const url = await serve({ rpcBodyKb: 1 });
    const answer = await new Promise<{ status: number; body: string }>((resolve, reject) => {
      const sent = httpRequest(url, { method: 'POST', headers: { 'transfer-encoding': 'chunked' } }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          body += part;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      });
      sent.on('error', reject);
      sent.write(' '.repeat(600));
      sent.write(' '.repeat(600));
    });
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.body).error).toEqual({ code: -32600, message: 'request too large: at most 1000 bytes' });
  });

  it('cuts a batch whose answers grow too large', async () => {
    const url = await serve({ rpcAnswerKb: 1 });
    const { answer } = await send(url, Array(5).fill(request('eth_getBlockByNumber', '0x1', false)));
    expect(answer[0].result.number).toBe('0x1');
    expect(answer[4].error).toMatchObject({ code: -32005, message: expect.stringContaining('another batch') });
  });

  it('counts the calls of an address, in batches too, and forgets with time', async () => {
    const url = await serve({ rpcRate: 2 });
    const { answer } = await send(url, Array(12).fill(request('eth_chainId')));
    expect(answer.filter(({ result }: Answer) => result !== undefined)).toHaveLength(10);
    expect(answer[11].error).toEqual({ code: -32005, message: 'too many calls: this address may make 2 in a second' });
    await f.clock.advance(1000);
    const later = (await send(url, Array(4).fill(request('eth_chainId')))).answer;
    expect(later.filter(({ result }: Answer) => result !== undefined)).toHaveLength(2);
  });

  it('believes a proxy about addresses only if told so', async () => {
    const from = (address: string) => ({ 'x-forwarded-for': address });
    const shared = await serve({ rpcRate: 1 });
    await send(shared, Array(5).fill(request('eth_chainId')), from('10.0.0.1'));
    expect((await send(shared, request('eth_chainId'), from('10.0.0.2'))).answer.error.code).toBe(-32005);
    await server?.stop();
    const own = await serve({ rpcRate: 1, rpcTrustProxy: true });
    await send(own, Array(5).fill(request('eth_chainId')), from('10.0.0.1'));
    expect((await send(own, request('eth_chainId'), from('10.0.0.1'))).answer.error.code).toBe(-32005);
    expect((await send(own, request('eth_chainId'), from('10.0.0.2'))).answer.result).toBe('0x4279');
    // What the client itself wrote stands before what the proxy did.
    expect((await send(own, request('eth_chainId'), from('10.0.0.3, 10.0.0.1'))).answer.error.code).toBe(-32005);
  });

  it('lets in only the pages and the names that it knows', async () => {
    const url = await serve({ rpcOrigins: 'https://app.example', rpcHosts: '127.0.0.1,rpc.example' });
    const from = (origin: string) => fetch(url, { method: 'POST', headers: { origin }, body: JSON.stringify(request('eth_chainId')) });
    const known = await from('https://app.example');
    expect(known.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(known.headers.get('vary')).toBe('origin');
    expect((await from('https://evil.example')).status).toBe(403);
    expect(await sendAs(url, 'rpc.example:8545')).toBe(200);
    expect(await sendAs(url, 'evil.example')).toBe(403);
    const socket = new WebSocket(url.replace('http', 'ws'), { origin: 'https://evil.example' });
    await expect(new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject))).rejects.toThrow('403');
  });

  it('searches no more blocks than it wants, and says what to ask instead', async () => {
    const url = await serve({ rpcLogBlocks: 5 });
    expect((await send(url, request('eth_getLogs', { fromBlock: '0x1', toBlock: '0xc' }))).answer.error).toEqual({
      code: -32005,
      message: 'blocks 1 to 12 are 12, at most 5 are searched at once: ask for blocks 1 to 5 first',
    });
    expect((await send(url, request('eth_getLogs', { fromBlock: '0x1', toBlock: '0x5' }))).answer.result).toEqual([]);
  });

  it('tries out calls with no more gas than it wants', async () => {
    const url = await serve({ rpcGasCap: 100_000 });
    const spinner = { [`0x${'99'.repeat(20)}`]: { code: '0x5b600056' } };
    const call = request('eth_call', { to: `0x${'99'.repeat(20)}`, gas: '0xffffff' }, 'latest', spinner);
    expect((await send(url, call)).answer.error.message).toBe('out of gas');
    const block = { stateOverrides: spinner, calls: [{ to: `0x${'99'.repeat(20)}` }] };
    const [simulated] = (await send(url, request('eth_simulateV1', { blockStateCalls: [block] }))).answer.result;
    expect(simulated.calls[0]).toMatchObject({ status: '0x0', gasUsed: '0x186a0', error: { code: -32015 } });
  });

  it('keeps no more websockets open than it wants', async () => {
    const url = await serve({ rpcSockets: 1 });
    const open = (): Promise<WebSocket> =>
      new Promise((resolve) => {
        const socket: WebSocket = new WebSocket(url.replace('http', 'ws')).on('open', () => resolve(socket));
      });
    const first = await open();
    const second = await open();
    expect(await new Promise((resolve) => second.on('close', resolve))).toBe(1013);
    first.terminate();
  });
});

describe('a websocket that does not read', () => {
  it('is cut off, and others go on', async () => {
    const url = (await serve({ rpcSocketBufferKb: 100 })).replace('http', 'ws');
    const open = (): Promise<WebSocket> =>
      new Promise((resolve) => {
        const socket: WebSocket = new WebSocket(url).on('open', () => resolve(socket));
      });
    const [slow, quick] = [await open(), await open()];
    const closed = new Promise((resolve) => slow.on('close', resolve));
    slow.pause();
    // Each answer is 200 kB, more in all than the kernel keeps for both ends.
    const large = { [`0x${'99'.repeat(20)}`]: { code: '0x620190006000f3' } };
    for (let i = 0; i < 150; i += 1) slow.send(JSON.stringify(request('eth_call', { to: `0x${'99'.repeat(20)}` }, 'latest', large)));
    const answered = new Promise<string>((resolve) => quick.on('message', (data) => resolve(String(data))));
    quick.send(JSON.stringify(request('eth_chainId')));
    expect(JSON.parse(await answered).result).toBe('0x4279');
    slow.resume();
    expect(await closed).toBe(1006);
    quick.terminate();
  });
});

describe('a call that takes too long', () => {
  it('ends when its client goes away', async () => {
    let begin: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const sandboxAt: typeof f.chain.sandboxAt = (block) => {
      begin();
      return f.chain.sandboxAt(block);
    };
    server = createRpcServer({ ...f.deps, chain: { ...f.chain, sandboxAt } }, { host: '127.0.0.1', port: 0 });
    await server.start(new AbortController().signal);
    const url = server.url();
    const spinner = { stateOverrides: { [`0x${'99'.repeat(20)}`]: { code: '0x5b600056' } }, tracer: 'noopTracer' };
    const gone = new AbortController();
    const body = JSON.stringify(request('debug_traceCall', { to: `0x${'99'.repeat(20)}` }, 'latest', spinner));
    const asked = fetch(url, { method: 'POST', body, signal: gone.signal });
    const metrics = async (): Promise<string> => (await fetch(`${url}/metrics`)).text();
    await begun;
    // Others are answered while the trace runs.
    expect(await metrics()).not.toContain('debug_traceCall');
    gone.abort();
    await expect(asked).rejects.toThrow();
    await waitFor(async () => (await metrics()).includes('hemid_rpc_failures_total{method="debug_traceCall"} 1'), {
      timeoutMs: 30_000,
      what: 'the end of the trace',
    });
  });

  it('is given up after the time of its method', async () => {
    let begin: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const of = (): Promise<never> => {
      begin();
      return new Promise(() => undefined);
    };
    const never = { ...f.deps, finality: { ...f.deps.finality, of } };
    server = createRpcServer(never, { host: '127.0.0.1', port: 0, limits: createLimits({ rpcTimeouts: '*=30000,hemi_*=500' }) });
    await server.start(new AbortController().signal);
    const asked = send(server.url(), request('hemi_getFinality', 'latest'));
    await begun;
    await f.clock.advance(500);
    expect((await asked).answer.error).toEqual({ code: -32002, message: 'request timed out after 500 ms: ask for less at once' });
  });
});

describe('the configuration of limits', () => {
  it('refuses timeouts that leave a method without one', () => {
    expect(() => createLimits({ rpcTimeouts: 'eth_*=5' })).toThrow('must look like');
    expect(() => createLimits({ rpcTimeouts: '*=soon' })).toThrow('must look like');
    expect(createLimits({ rpcTimeouts: '*=9,debug_*=60' }).timeoutMs('debug_traceCall')).toBe(60);
    expect(createLimits({ rpcTimeouts: '*=9,debug_*=60' }).timeoutMs('eth_call')).toBe(9);
  });
});
