import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createBitcoindRpc } from '@hemid/bitcoin';
import { HemidError } from '@hemid/protocol';
import { Secret } from '@hemid/runtime';
import { type Bitcoind, freePort, startBitcoind } from '@hemid/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

const timeoutMs = 5000;

async function failure(call: Promise<unknown>): Promise<HemidError> {
  const error = await call.then(
    (result) => result,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof HemidError)) throw new Error(`expected a HemidError, got ${String(error)}`);
  return error;
}

describe('the RPC client of a real bitcoind', () => {
  let bitcoind: Bitcoind;
  beforeAll(async () => {
    bitcoind = await startBitcoind();
  });
  afterAll(() => bitcoind.stop());

  it('takes credentials from its options or from the URL', async () => {
    const { url, user, password } = bitcoind;
    expect(await createBitcoindRpc({ url, user, password: new Secret(password), timeoutMs })('getblockcount', [])).toBe(0);
    const inUrl = url.replace('http://', `http://${user}:${password}@`);
    expect(await createBitcoindRpc({ url: inUrl, timeoutMs })('getblockcount', [])).toBe(0);
  });

  it('says what to check when the credentials are wrong, and never prints them', async () => {
    const { url, user } = bitcoind;
    const error = await failure(createBitcoindRpc({ url: url.replace('//', '//me:hunter2@'), timeoutMs })('getblockcount', []));
    expect(error).toMatchObject({ code: 'bitcoin/credentials', severity: 'fatal' });
    expect(error.message).toMatch(/check user and password/);
    expect(error.message).not.toContain('hunter2');
    const none = await failure(createBitcoindRpc({ url, user, timeoutMs })('getblockcount', []));
    expect(none.code).toBe('bitcoin/credentials');
  });

  it("passes on the node's own words", async () => {
    const error = await failure(bitcoind.rpc('getblockhash', [7]));
    expect(error).toMatchObject({
      code: 'bitcoin/rpc',
      severity: 'invalid',
      details: { rpcCode: -8, rpcMessage: 'Block height out of range', method: 'getblockhash' },
    });
    expect((await failure(bitcoind.rpc('nosuchmethod', []))).details).toMatchObject({ rpcCode: -32601 });
  });

  it('is worth a retry while nobody listens, after a kill too, and works again after a restart', async () => {
    const dead = createBitcoindRpc({ url: `http://127.0.0.1:${await freePort()}`, timeoutMs });
    expect(await failure(dead('getblockcount', []))).toMatchObject({ code: 'bitcoin/unreachable', severity: 'retry' });
    await bitcoind.kill();
    expect(await failure(bitcoind.rpc('getblockcount', []))).toMatchObject({ code: 'bitcoin/unreachable' });
    await bitcoind.restart();
    expect(await bitcoind.rpc('getblockcount', [])).toBe(0);
  });
});

describe('the RPC client', () => {
  let server: Server | undefined;
  const directory = mkdtempSync(join(tmpdir(), 'hemid-cookie-'));
  afterEach(() => {
    server?.closeAllConnections();
    server?.close();
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  /** A server that answers as a test says: what a healthy bitcoind cannot be made to say. */
  async function answering(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
    server = createServer(answer);
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const saying = (status: number, body: string): Promise<string> => answering((_, response) => response.writeHead(status).end(body));
  const refusal = (code: number, message: string): string => JSON.stringify({ result: null, error: { code, message }, id: 1 });

  it.each([
    [503, 'Work queue depth exceeded', 'bitcoin/busy', 'retry'],
    [500, refusal(-28, 'Loading block index…'), 'bitcoin/warming-up', 'retry'],
    [500, refusal(-1, 'Block not available (pruned data)'), 'bitcoin/pruned', 'fatal'],
    [200, refusal(-5, 'Block not found'), 'bitcoin/rpc', 'invalid'],
    [403, '', 'bitcoin/credentials', 'fatal'],
    [200, '<html>', 'bitcoin/unreachable', 'retry'],
  ])('takes HTTP %i %s for %s', async (status, body, code, severity) => {
    const rpc = createBitcoindRpc({ url: await saying(status, body), timeoutMs });
    expect(await failure(rpc('getblock', []))).toMatchObject({ code, severity });
  });

  it('reads the cookie again, once, when it is refused', async () => {
    const cookieFile = join(directory, '.cookie');
    const right = `Basic ${Buffer.from('__cookie__:new').toString('base64')}`;
    let asked = 0;
    const url = await answering(({ headers }, response) => {
      asked += 1;
      if (headers.authorization === right) response.end('{"result":42,"error":null,"id":1}');
      else response.writeHead(401).end();
      writeFileSync(cookieFile, '__cookie__:new\n');
    });
    writeFileSync(cookieFile, '__cookie__:old\n');
    const rpc = createBitcoindRpc({ url, cookieFile, timeoutMs });
    expect(await rpc('getblockcount', [])).toBe(42);
    expect(asked).toBe(2);
    const gone = createBitcoindRpc({ url, cookieFile: join(directory, 'nowhere'), timeoutMs });
    expect(await failure(gone('getblockcount', []))).toMatchObject({ code: 'bitcoin/unreachable' });
  });

  it('gives up after its timeout, and when its caller does', async () => {
    const url = await answering(() => undefined);
    expect((await failure(createBitcoindRpc({ url, timeoutMs: 50 })('getblockcount', []))).message).toMatch(/within 50 ms/);
    const controller = new AbortController();
    const call = createBitcoindRpc({ url, timeoutMs })('getblockcount', [], controller.signal);
    controller.abort();
    expect(await failure(call)).toMatchObject({ code: 'bitcoin/unreachable' });
  });
});
