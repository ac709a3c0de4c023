import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { createRpcContext, createRpcServer, invoke, methods } from '@hemid/rpc';
import { createPublicClient, http } from 'viem';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isServed } from '../src/served.ts';
import { type Answer, type Fixture, openFixture } from './fixture.ts';
import { alice } from './test-chain.ts';

let f: Fixture;
beforeAll(async () => {
  f = await openFixture();
  await f.build();
});
afterAll(() => f.close());

const post = (body: string, headers: Record<string, string> = { 'content-type': 'application/json' }): Promise<Response> =>
  fetch(f.server.url(), { method: 'POST', headers, body });
const answerTo = async (body: unknown): Promise<Answer> => (await post(typeof body === 'string' ? body : JSON.stringify(body))).json();
const request = (method: string, id: unknown = 1, params?: unknown) => ({ jsonrpc: '2.0', id, method, params });

describe('JSON-RPC 2.0', () => {
  it('echoes ids of every kind', async () => {
    for (const id of [0, 7, -1, 1.5, 'a', '', null]) {
      expect(await answerTo(request('net_listening', id))).toEqual({ jsonrpc: '2.0', id, result: true });
    }
    expect(await answerTo(request('net_listening', {}))).toMatchObject({ id: null, error: { code: -32600 } });
  });

  it('answers what is malformed with its own code', async () => {
    expect(await answerTo('{"jsonrpc":')).toMatchObject({ jsonrpc: '2.0', id: null, error: { code: -32700 } });
    expect(await answerTo('')).toMatchObject({ error: { code: -32700 } });
    expect(await answerTo('7')).toMatchObject({ id: null, error: { code: -32600 } });
    expect(await answerTo({ id: 3, method: 'net_listening' })).toMatchObject({
      id: 3,
      error: { code: -32600, message: expect.stringContaining('jsonrpc') },
    });
    expect(await answerTo({ jsonrpc: '2.0', id: 3 })).toMatchObject({ id: 3, error: { code: -32600, message: expect.stringContaining('method') } });
    expect(await answerTo(request('eth_nothing'))).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: { code: -32601, message: 'the method eth_nothing does not exist/is not available' },
    });
    for (const name of ['toString', '__proto__', 'constructor']) expect((await answerTo(request(name))).error.code).toBe(-32601);
  });

  it('names the parameter that is wrong', async () => {
    const messageOf = async (method: string, params: unknown): Promise<string> => {
      const { error } = await answerTo(request(method, 1, params));
      expect(error.code).toBe(-32602);
      return error.message;
    };
    expect(await messageOf('eth_getBalance', [])).toBe('missing value for required argument 0 (address)');
    expect(await messageOf('eth_getBalance', ['0x12'])).toBe('invalid argument 0 (address): must be an address: 0x and 40 hex digits');
    expect(await messageOf('eth_getBalance', [alice.address, 'newest'])).toMatch(/^invalid argument 1 \(block\): must be a hex number/);
    expect(await messageOf('eth_getBlockByNumber', ['0x01', false])).toMatch(/^invalid argument 0 \(block\)/);
    expect(await messageOf('eth_getBlockByNumber', ['0x1', 'yes'])).toMatch(/^invalid argument 1 \(hydrated\): must be true/);
    expect(await messageOf('eth_call', [{ to: '0x1' }])).toMatch(/^invalid argument 0 \(call\): to: must be an address/);
    expect(await messageOf('eth_chainId', [1])).toBe('too many arguments, want at most 0');
    expect(await messageOf('eth_chainId', 'none')).toMatch(/must be an array/);
    expect(await messageOf('eth_getBalance', { addres: alice.address })).toBe('there is no parameter "addres", only address, block');
  });

  it('takes parameters by name, and null for one that is left out', async () => {
    const byPosition = await answerTo(request('eth_getBalance', 1, [alice.address, '0x0']));
    expect(byPosition.result).toBe('0x3635c9adc5dea00000');
    expect(await answerTo(request('eth_getBalance', 1, { block: '0x0', address: alice.address }))).toEqual(byPosition);
    expect(await answerTo(request('eth_getBalance', 1, [alice.address, null]))).toEqual(byPosition);
    expect((await answerTo(request('eth_chainId', 1, null))).result).toBe('0x4279');
  });

  it('carries notifications out and answers nothing', async () => {
    const response = await post(JSON.stringify({ jsonrpc: '2.0', method: 'eth_newBlockFilter' }));
    expect(response.status).toBe(204);
    expect(await response.text()).toBe('');
  });
});

describe('batches', () => {
  it('are answered in order, call by call, without the notifications', async () => {
    const { id: _, ...notification } = request('net_listening');
    expect(await answerTo([request('eth_chainId', 'x'), notification, 5, request('eth_nothing', 2), request('net_version', 3)])).toEqual([
      { jsonrpc: '2.0', id: 'x', result: '0x4279' },
      { jsonrpc: '2.0', id: null, error: { code: -32600, message: 'invalid request: not an object' } },
      { jsonrpc: '2.0', id: 2, error: { code: -32601, message: 'the method eth_nothing does not exist/is not available' } },
      { jsonrpc: '2.0', id: 3, result: '17017' },
    ]);
    expect((await post(JSON.stringify([notification]))).status).toBe(204);
  });

  it('are neither empty nor of more than 1000 calls', async () => {
    expect(await answerTo([])).toMatchObject({ id: null, error: { code: -32600 } });
    expect(await answerTo(Array.from({ length: 1000 }, (_, id) => request('net_listening', id)))).toHaveLength(1000);
    expect(await answerTo(Array.from({ length: 1001 }, (_, id) => request('net_listening', id)))).toMatchObject({
      id: null,
      error: { code: -32600, message: expect.stringContaining('1000') },
    });
  });

  it('serve viem', async () => {
    const client = createPublicClient({ transport: http(f.server.url(), { batch: true, retryCount: 0 }) });
    expect(await Promise.all([client.getChainId(), client.getBlockNumber({ cacheTime: 0 }), client.getBalance({ address: alice.address })])).toEqual([
      17_017,
      1n,
      10n ** 21n,
    ]);
  });
});

describe('a long answer', () => {
  it('is the same alone, among others in a batch, and over a websocket', async () => {
    const data = `0x${'5a'.repeat(10_000)}` as const;
    const hash = await f.wallet.sendTransaction({ to: alice.address, data });
    await f.build();
    const params = ['latest', true];
    const alone = await answerTo(request('eth_getBlockByNumber', 1, params));
    expect(alone.result.transactions).toMatchObject([{ hash, input: data }]);
    const [before, again, after] = await answerTo([
      request('eth_chainId', 'é'),
      request('eth_getBlockByNumber', 1, params),
      request('eth_getBlockByNumber', 2, ['latest', false]),
    ]);
    expect([before.id, again, after.result.transactions]).toEqual(['é', alone, [hash]]);
    const socket = f.openSocket();
    expect((await socket.request({ method: 'eth_getBlockByNumber', params: ['latest', true] }))?.transactions).toEqual(alone.result.transactions);
    (await socket.transport.getRpcClient()).close();
  });
});

describe('the server', () => {
  it('takes any content type, and bodies of at most 5 MB', async () => {
    expect(await (await post(JSON.stringify(request('eth_chainId')), { 'content-type': 'text/plain' })).json()).toMatchObject({ result: '0x4279' });
    const large = await post(JSON.stringify(request('web3_sha3', 1, [`0x${'00'.repeat(2_000_000)}`])));
    expect(((await large.json()) as Answer).result).toMatch(/^0x/);
    const tooLarge = await post(JSON.stringify(request('web3_sha3', 1, [`0x${'00'.repeat(2_600_000)}`])));
    expect(tooLarge.status).toBe(413);
    expect(await tooLarge.json()).toMatchObject({ jsonrpc: '2.0', id: null, error: { code: -32600 } });
  });

  it('takes a body in pieces, whatever lies where it is cut, and a question mark behind the path', async () => {
    const bytes = Buffer.from(JSON.stringify(request('eth_chainId', 'é€𝄞')));
    const received = await new Promise<string>((resolve, reject) => {
      const sent = httpRequest(`${f.server.url()}/?key=1`, { method: 'POST' }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => resolve(Buffer.concat(parts).toString()));
      });
      sent.on('error', reject);
      sent.setNoDelay(true);
      const sendFrom = (at: number): void => {
        if (at >= bytes.length) sent.end();
        else sent.write(bytes.subarray(at, at + 1), () => setImmediate(sendFrom, at + 1));
      };
      sendFrom(0);
    });
    expect(JSON.parse(received)).toEqual({ jsonrpc: '2.0', id: 'é€𝄞', result: '0x4279' });
  });

  it('answers nobody on another path, and nobody who sends no text', async () => {
    const other = await fetch(`${f.server.url()}/rpc`, { method: 'POST', body: JSON.stringify(request('eth_chainId')) });
    expect(other.status).toBe(404);
    expect(await (await fetch(f.server.url(), { method: 'POST' })).json()).toMatchObject({ id: null, error: { code: -32700 } });
  });

  it('lets pages of every origin in', async () => {
    const preflight = await fetch(f.server.url(), {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-methods')).toContain('POST');
    expect((await post(JSON.stringify(request('eth_chainId')))).headers.get('access-control-allow-origin')).toBe('*');
  });

  it('says whether it lives, whether it is ready and why not, and its metrics', async () => {
    const get = (path: string) => fetch(`${f.server.url()}${path}`);
    expect(await (await get('/livez')).text()).toBe('ok');
    expect(await (await get('/readyz')).json()).toEqual({ ready: true, reasons: [] });
    f.reasons.push('the latest block is 90 s old');
    const unready = await get('/readyz');
    expect(unready.status).toBe(503);
    expect(await unready.json()).toEqual({ ready: false, reasons: ['the latest block is 90 s old'] });
    f.reasons.length = 0;
    const metrics = await (await get('/metrics')).text();
    expect(metrics).toMatch(/^hemid_up 1\n/);
    expect(metrics).toMatch(/hemid_rpc_calls_total\{method="eth_chainId"\} \d+\n/);
    expect(metrics).not.toContain('eth_nothing');
    expect((await get('/nothing')).status).toBe(404);
  });

  it('says which port it cannot have', async () => {
    const { port } = new URL(f.server.url());
    const second = createRpcServer(f.deps, { host: '127.0.0.1', port: Number(port) });
    await expect(Promise.resolve(second.start(new AbortController().signal))).rejects.toMatchObject({
      code: 'rpc/listen',
      message: expect.stringContaining(port),
    });
    await second.stop();
  });

  it('stops at once although a client keeps its connection', { timeout: 1000 }, async () => {
    const server = createRpcServer(f.deps, { host: '127.0.0.1', port: 0 });
    await server.start(new AbortController().signal);
    const idle = connect(Number(new URL(server.url()).port), '127.0.0.1');
    const closed = new Promise((resolve) => idle.on('close', resolve));
    await new Promise((resolve) => idle.on('connect', resolve));
    await fetch(server.url(), { method: 'POST', body: JSON.stringify(request('eth_chainId')) });
    await server.stop();
    await closed;
  });
});

describe('invoke', () => {
  it('calls a method without a transport, and hears the chain until it is closed', async () => {
    const context = createRpcContext(f.deps);
    expect(await invoke('eth_chainId', [], context)).toBe('0x4279');
    await expect(invoke('eth_nothing', [], context)).rejects.toMatchObject({ code: 'rpc/method-not-found' });
    const filter = await invoke('eth_newBlockFilter', [], context);
    await f.build();
    expect(await invoke('eth_getFilterChanges', [filter], context)).toHaveLength(1);
    context.close();
    await f.build();
    expect(await invoke('eth_getFilterChanges', [filter], context)).toEqual([]);
  });

  it('finds every method documented', () => {
    for (const [name, { doc, params }] of Object.entries(methods)) {
      expect(name).toMatch(/^(eth|debug|net|web3|txpool|ots|erigon|rpc|kss|hemi|optimism|evm|anvil|hardhat|personal|admin)[_.][a-zA-Z0-9]+(_v\d)?$/);
      expect(doc).toMatch(/^[A-Z].*\.$/);
      expect(Object.keys(params).every((param) => /^[a-zA-Z]+$/.test(param))).toBe(true);
    }
  });

  it('finds every method discovered, with a schema of each parameter', async () => {
    const { result } = (await (await post(JSON.stringify(request('rpc.discover')))).json()) as Answer;
    expect(result.methods.filter(({ result: { schema } }: Answer) => Object.keys(schema).every((key) => key.startsWith('$')))).toEqual([]);
    expect(result.methods.map(({ name }: { name: string }) => name)).toEqual(Object.keys(methods).filter((name) => isServed(name, {})));
    const call = result.methods.find(({ name }: { name: string }) => name === 'eth_call');
    expect(call.params.map(({ name, required }: { name: string; required: boolean }) => [name, required])).toEqual([
      ['call', true],
      ['block', false],
      ['stateOverrides', false],
      ['blockOverrides', false],
    ]);
    expect(call.params[0].schema.properties.to.anyOf[0]).toMatchObject({ type: 'string', pattern: '^0x[0-9a-fA-F]{40}$' });
  });
});
