import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@hemid/runtime';
import { createTestNetwork, createUser, type TestNetwork } from '@hemid/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAdminToken, openConfiguredAdmin } from '../src/admin.ts';
import { createRpcDeps } from '../src/rpc-deps.ts';

let data: string;
let network: TestNetwork;
beforeAll(async () => {
  data = mkdtempSync(join(tmpdir(), 'hemid-admin-'));
  network = await createTestNetwork();
});
afterAll(async () => {
  rmSync(data, { recursive: true });
  await network.close();
});

test('the token is written at the first start, for the user alone, and stays; a file that holds none is refused', () => {
  const file = join(data, 'token');
  const token = openAdminToken(file);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, 'utf8').trim()).toBe(token.reveal());
  expect(openAdminToken(file).reveal()).toBe(token.reveal());
  expect(`${token}`).toBe('[secret]');
  writeFileSync(file, '\n');
  expect(() => openAdminToken(file)).toThrow(/does not hold 64 hex digits: delete it/);
  expect(() => openAdminToken(join(data, 'none', 'token'))).toThrow(/cannot write the admin token file/);
});

test('the admin port is off until it is asked for; then it answers who has the token, and nobody else', async () => {
  const { node } = network.sequencer;
  const log = createLogger({ level: 'silent', format: 'json' });
  const rpc = createRpcDeps(node, { clock: network.clock, log });
  const config = { adminHost: '127.0.0.1', rpcCheckAnswers: true, data, role: 'sequencer', urls: () => ({ rpc: 'http://127.0.0.1:1' }) };
  expect(openConfiguredAdmin(node, { rpc, log }, config)).toBeUndefined();
  const admin = openConfiguredAdmin(node, { rpc, log }, { ...config, adminPort: 0 });
  if (admin === undefined) expect.unreachable();
  await admin.start(new AbortController().signal);
  const token = readFileSync(join(data, 'admin-token'), 'utf8').trim();
  const ask = async (authorization: string | undefined, method: string, ...params: unknown[]) => {
    const headers = { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
    const response = await fetch(admin.url(), { method: 'POST', headers, body });
    return { status: response.status, ...((await response.json()) as { result?: unknown; error?: { message: string } }) };
  };
  for (const wrong of [undefined, '', 'Bearer', `Bearer ${token.slice(1)}`, `Basic ${token}`, token]) {
    expect(await ask(wrong, 'admin_nodeInfo')).toMatchObject({ status: 401, error: { message: expect.stringMatching(/--admin-token-file/) } });
  }
  const call = (method: string, ...params: unknown[]) => ask(`Bearer ${token}`, method, ...params);
  await network.sequencer.build();
  expect(await call('admin_nodeInfo')).toMatchObject({
    status: 200,
    result: { name: expect.stringMatching(/^hemid/), role: 'sequencer', dataDirectory: data, head: { number: '0x1' }, chain: { chainId: 743_555 } },
  });
  expect(await call('eth_blockNumber')).toMatchObject({ result: '0x1' });
  expect(await call('evm_mine')).toMatchObject({ error: { message: expect.stringMatching(/does not exist/) } });

  expect(await call('admin_setLogLevel', 'fatal')).toMatchObject({ error: { message: expect.stringMatching(/level/) } });
  expect(await call('admin_setLogLevel', 'error')).toMatchObject({ result: 'silent' });
  expect(log.level).toBe('error');
  await network.bitcoin.mineBlocks(2);
  expect(await call('admin_lookAtBitcoin')).toMatchObject({ result: 112 });
  expect(await call('admin_reconsider')).toMatchObject({ result: expect.stringMatching(/^0x[0-9a-f]{64}$/) });
  const hash = await createUser(node, 0).send({ to: `0x${'b0'.repeat(20)}` });
  expect(await call('admin_dropTransaction', hash)).toMatchObject({ result: true });
  expect(await call('admin_dropTransaction', hash)).toMatchObject({ result: false });
  expect(node.pool?.counts()).toEqual({ pending: 0, queued: 0 });
  await admin.stop();
});
