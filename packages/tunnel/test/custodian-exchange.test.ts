import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@hemid/runtime';
import { afterEach, describe, expect, test } from 'vitest';
import { createFolderExchange, createHttpExchange, joinExchanges } from '../src/index.ts';

const TXID = 'ab'.repeat(32);
const OTHER = 'cd'.repeat(32);
const secretOf = (byte: number): Secret<Uint8Array> => new Secret(new Uint8Array(32).fill(byte));
const closers: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function open(peers: string[], secret = secretOf(1)) {
  const exchange = createHttpExchange({ host: '127.0.0.1', port: 0, peers, secret, timeoutMs: 2_000 });
  await exchange.start(new AbortController().signal);
  closers.push(() => exchange.stop());
  return exchange;
}

/** What one side collects, and the troubles it heard of. */
async function collect(exchange: { collect: ReturnType<typeof createHttpExchange>['collect'] }, txid = TXID) {
  const troubles: string[] = [];
  const received = await exchange.collect(txid, (_from, error) => troubles.push((error as Error).message));
  return { received, troubles };
}

/** A custodian's address where something else answers. */
async function impostor(body: string, headers: Record<string, string> = {}, status = 200): Promise<string> {
  const server = createServer((_, response) => void response.writeHead(status, headers).end(body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('over HTTP', () => {
  test('custodians see what the others show of a batch, and nothing of another', async () => {
    const first = await open([]);
    const second = await open([first.url()]);
    expect(await collect(second)).toEqual({ received: [], troubles: [] });
    await first.publish(TXID, 'psbt of the first');
    expect(await collect(second)).toEqual({ received: [{ from: first.url(), psbt: 'psbt of the first' }], troubles: [] });
    expect(await collect(second, OTHER)).toEqual({ received: [], troubles: [] });
  });

  test('strangers are told nothing, whatever they ask', async () => {
    const exchange = await open([]);
    await exchange.publish(TXID, 'psbt');
    const ask = async (path: string, headers = {}, method = 'GET') => (await fetch(`${exchange.url()}${path}`, { headers, method })).status;
    expect(await ask(`/v1/partial/${TXID}`)).toBe(401);
    for (const mac of ['', 'ff', '00'.repeat(32), 'zz'.repeat(32), 'é']) {
      expect(await ask(`/v1/partial/${TXID}`, { 'x-hemid-mac': encodeURIComponent(mac) })).toBe(401);
    }
    expect(await ask('/')).toBe(404);
    expect(await ask('/v1/partial/ab')).toBe(404);
    expect(await ask(`/v1/partial/${TXID}`, {}, 'POST')).toBe(404);
    const wrong = await open([exchange.url()], secretOf(2));
    expect(await collect(wrong)).toEqual({ received: [], troubles: ['it answers with status 401'] });
  });

  test('what does not come from a custodian is not taken, and one that is silent does not hold up the others', async () => {
    const good = await open([]);
    await good.publish(TXID, 'psbt');
    const peers = [
      await impostor('psbt'),
      await impostor('psbt', { 'x-hemid-mac': '00'.repeat(32) }),
      await impostor('x'.repeat(2_100_000)),
      'http://127.0.0.1:9',
      good.url(),
    ];
    const exchange = await open(peers);
    const { received, troubles } = await collect(exchange);
    expect(received).toEqual([{ from: good.url(), psbt: 'psbt' }]);
    expect(troubles.sort()).toEqual([
      expect.stringContaining('it cannot be reached'),
      'its answer does not carry the MAC of the shared secret',
      'its answer does not carry the MAC of the shared secret',
      'its answer is longer than 2000000 bytes',
    ]);
  });
});

test('by files: each custodian leaves its PSBT in a folder and reads those of the others', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hemid-exchange-'));
  closers.push(() => rm(folder, { recursive: true }));
  const [first, second] = ['first', 'second'].map((name) => createFolderExchange({ folder: join(folder, 'shared'), name })) as [
    ReturnType<typeof createFolderExchange>,
    ReturnType<typeof createFolderExchange>,
  ];
  await first.publish(TXID, 'one');
  await second.publish(TXID, 'two');
  await second.publish(OTHER, 'other');
  await writeFile(join(folder, 'shared', `${TXID}.cold.psbt`), 'cold');
  expect((await readdir(join(folder, 'shared'))).some((file) => file.endsWith('.tmp'))).toBe(false);
  const { received } = await collect(joinExchanges([first, await open([])]));
  expect(received.sort((a, b) => a.from.localeCompare(b.from))).toEqual([
    { from: `${TXID}.cold.psbt`, psbt: 'cold' },
    { from: `${TXID}.second.psbt`, psbt: 'two' },
  ]);
});
