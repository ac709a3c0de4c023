import { silentLogger } from '@hemid/runtime';
import { freePort } from '@hemid/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createHttpServer, toJsonAnswer } from '../src/http-server.ts';

const NOW = new AbortController().signal;

describe('the HTTP endpoints', () => {
  let port: number;
  let url: string;
  let server: ReturnType<typeof createHttpServer>;
  const open = () =>
    createHttpServer({ '/health': () => toJsonAnswer({ sats: 5n }, 503) }, { address: { host: '127.0.0.1', port }, log: silentLogger });

  beforeEach(async () => {
    port = await freePort();
    url = `http://127.0.0.1:${port}`;
    server = open();
    await server.start(NOW);
  });
  afterEach(() => server.stop());

  it('answer a GET at their paths, with or without a question mark, and list them elsewhere', async () => {
    const response = await fetch(`${url}/health?verbose`);
    expect([response.status, response.headers.get('content-type'), await response.json()]).toEqual([503, 'application/json', { sats: 5 }]);
    const other = await fetch(`${url}/nothing`);
    expect([other.status, await other.json()]).toEqual([404, { error: 'not found', paths: ['/health'] }]);
  });

  it('take no orders', async () => {
    expect((await fetch(`${url}/health`, { method: 'POST', body: 'x' })).status).toBe(405);
    expect((await fetch(`${url}/constructor`)).status).toBe(404);
    expect((await fetch(`${url}/__proto__`)).status).toBe(404);
  });

  it('say that their address is taken', async () => {
    await expect(open().start(NOW)).rejects.toMatchObject({
      code: 'popmd/listen',
      severity: 'fatal',
      message: expect.stringContaining('EADDRINUSE'),
    });
  });
});
