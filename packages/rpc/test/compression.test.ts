import { request } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Fixture, openFixture } from './fixture.ts';

let f: Fixture;
beforeAll(async () => {
  f = await openFixture();
  await f.build();
});
afterAll(() => f.close());

interface Received {
  status: number;
  encoding: string | undefined;
  vary: string | undefined;
  body: Buffer;
}

/** A call as it comes over the wire: fetch would say that it accepts everything, and decompress. */
function post(method: string, acceptEncoding?: string): Promise<Received> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', ...(acceptEncoding === undefined ? {} : { 'accept-encoding': acceptEncoding }) };
    const sent = request(f.server.url(), { method: 'POST', headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        const { 'content-encoding': encoding, vary } = response.headers;
        resolve({ status: response.statusCode ?? 0, encoding, vary, body: Buffer.concat(parts) });
      });
    });
    sent.on('error', reject);
    sent.end(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: [] }));
  });
}

describe('compression', () => {
  it('is chosen by what the client accepts, the best first', async () => {
    const plain = await post('rpc.discover');
    expect(plain).toMatchObject({ status: 200, encoding: undefined, vary: 'accept-encoding' });
    for (const accepted of ['gzip, deflate', 'gzip;q=1, br;q=0.5', 'deflate, GZIP', 'br;q=0, *']) {
      const { encoding, body } = await post('rpc.discover', accepted);
      expect(encoding, accepted).toBe('gzip');
      expect(gunzipSync(body).equals(plain.body)).toBe(true);
    }
    for (const accepted of ['gzip, deflate, br', '*', 'br']) {
      const { encoding, body } = await post('rpc.discover', accepted);
      expect(encoding, accepted).toBe('br');
      expect(brotliDecompressSync(body).equals(plain.body)).toBe(true);
      expect(body.length).toBeLessThan(plain.body.length / 4);
    }
    for (const refused of ['identity', 'deflate', 'gzip;q=0, br;q=0', '*;q=0', '']) {
      const { encoding, body } = await post('rpc.discover', refused);
      expect(encoding, refused).toBeUndefined();
      expect(body.equals(plain.body)).toBe(true);
    }
  });

  it('leaves short answers as they are', async () => {
    const { encoding, vary, body } = await post('eth_chainId', 'br, gzip');
    expect({ encoding, vary }).toEqual({ encoding: undefined, vary: undefined });
    expect(JSON.parse(String(body))).toMatchObject({ result: '0x4279' });
  });
});
