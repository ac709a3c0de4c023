import { type EmbeddedRegtest, openRegtest } from '@hemid/bitcoin';
import { silentLogger, systemClock } from '@hemid/runtime';
import { openMemoryStore } from '@hemid/store';
import { freePort, STRANGER } from '@hemid/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openBitcoinNodes } from '../src/bitcoin-source.ts';
import { nodeConfig } from '../src/config.ts';

let bitcoin: EmbeddedRegtest;
beforeEach(async () => {
  bitcoin = await openRegtest({ store: await openMemoryStore(), clock: systemClock, log: silentLogger });
  await bitcoin.mine({ count: 3, address: STRANGER });
});
afterEach(() => bitcoin.close());

const open = (...bitcoind: string[]) =>
  openBitcoinNodes(nodeConfig.parse({ chain: 'x', role: 'verifier', bitcoind: bitcoind.join(',') }), { clock: systemClock, log: silentLogger });

test('the first Bitcoin node that answers is asked for fees and the mempool; a refusal is an answer', async () => {
  const { url } = await bitcoin.serve({ host: '127.0.0.1', port: 0 });
  const dead = `http://127.0.0.1:${await freePort()}`;
  expect(await open(dead, url).rpc('getblockcount', [])).toBe(3);
  await expect(open(url, dead).rpc('getblockhash', [4])).rejects.toMatchObject({ code: 'bitcoin/rpc', details: { rpcCode: -8 } });
  await expect(open(dead).rpc('getblockcount', [])).rejects.toMatchObject({ code: 'bitcoin/unreachable', severity: 'retry' });
});

test('an address to listen on is host and port, or a port of this machine', () => {
  const read = (tbcAddress: string): unknown =>
    nodeConfig.parse({ chain: 'x', role: 'verifier', bitcoind: 'http://127.0.0.1:8332', tbcAddress }).tbcAddress;
  expect(read('0.0.0.0:8082')).toEqual({ host: '0.0.0.0', port: 8082 });
  expect(read('[::1]:8082')).toEqual({ host: '::1', port: 8082 });
  expect(read('8082')).toEqual({ host: '127.0.0.1', port: 8082 });
  for (const wrong of ['', 'localhost', ':8082', '::1:8082', '127.0.0.1:65536', '127.0.0.1:x'])
    expect(() => read(wrong), wrong).toThrow(/must look like/);
});
