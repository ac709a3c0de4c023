import { createRpcKeystoneSource } from '@hemid/pop-miner';
import { toDisplay, toKeystoneJson } from '@hemid/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKeystoneHolder, type KeystoneHolder } from './keystone-holder.ts';
import { type KeystoneServer, serveKeystones } from './keystone-server.ts';

const NAMED = '00ff'.repeat(16);

describe('keystones by RPC', () => {
  let l2: KeystoneHolder;
  let server: KeystoneServer;
  const open = (url = server.url) => createRpcKeystoneSource(url, { timeoutMs: 5000 });

  beforeEach(async () => {
    l2 = createKeystoneHolder();
    server = await serveKeystones(l2);
  });
  afterEach(() => server.close());

  it('are those of the node, newest first, with the Bitcoin block and the time that theirs names', async () => {
    const older = l2.make(25, NAMED);
    const newer = l2.make(50, NAMED, 1_750_000_025_000);
    const source = open();
    expect(await source.latest(12)).toEqual([newer, older]);
    expect(await source.latest(1)).toEqual([newer]);
    const { bitcoinTip, timeMs } = await source.origin(newer.blockHash);
    expect([toDisplay(bitcoinTip), timeMs]).toEqual([NAMED, 1_750_000_025_000]);
  });

  it('come over http from a ws URL, and take its credentials along', async () => {
    const source = open(server.url.replace('http://', 'ws://user:p%40ss@'));
    expect(await source.latest(12)).toEqual([]);
    expect(server.logins).toEqual([`Basic ${Buffer.from('user:p@ss').toString('base64')}`]);
  });

  it('are never more than asked for', async () => {
    const [older, newer] = [l2.make(25, NAMED), l2.make(50, NAMED)];
    server.answer = JSON.stringify({ id: 1, result: { keystones: [newer, older].map(toKeystoneJson) } });
    expect(await open().latest(1)).toEqual([newer]);
  });

  it('can be none, as null too', async () => {
    server.answer = '{"id":1,"result":{"keystones":null}}';
    expect(await open().latest(12)).toEqual([]);
  });

  it.each([
    ['an HTML page', '<html>'],
    ['a number', '7'],
    ['no result', '{"id":1}'],
    ['a keystone that is none', '{"id":1,"result":{"keystones":[{"version":2}]}}'],
    ['an error of the keystone service', '{"id":1,"result":{"keystones":[],"error":{"timestamp":1,"message":"syncing"}}}'],
    ['an error of the server', '{"id":1,"error":{"code":-32000,"message":"busy"}}'],
  ])('that cannot be read are a trouble that may pass: %s', async (_, answer) => {
    server.answer = answer;
    await expect(open().latest(12)).rejects.toMatchObject({ code: 'pop-miner/node-answer', severity: 'retry' });
  });

  it('whose block is gone are a trouble that may pass', async () => {
    await expect(open().origin(new Uint8Array(32))).rejects.toMatchObject({ code: 'pop-miner/node-answer', severity: 'retry' });
  });

  it('of a node that cannot be reached are a trouble that may pass, and its URL is shown without credentials', async () => {
    await server.close();
    const source = open(server.url.replace('http://', 'http://user:hidden@'));
    await expect(source.latest(12)).rejects.toMatchObject({
      code: 'pop-miner/node-unreachable',
      severity: 'retry',
      message: expect.not.stringContaining('hidden'),
    });
  });

  it('of a node without the methods, or at no URL, are a matter for a person', async () => {
    server.answer = '{"id":1,"error":{"code":-32601,"message":"the method kss_getLatestKeystones does not exist"}}';
    await expect(open().latest(12)).rejects.toMatchObject({ code: 'pop-miner/node-unfit', severity: 'fatal' });
    expect(() => open('127.0.0.1:8545')).toThrow(expect.objectContaining({ code: 'pop-miner/node-unfit' }));
  });
});
