import { createRpcDeps, createTbcDeps } from '@hemid/node';
import { createRestServer, createTbcServer } from '@hemid/rpc';
import { silentLogger } from '@hemid/runtime';
import { createSeededRandom, createTestNetwork, type SeededRandom } from '@hemid/testkit';
import { expect, test } from 'vitest';
import { connectTbc } from '../public-programs.ts';
import { CASES, SEED, TIMEOUT_MS } from './campaign.ts';
import { mutate, pick } from './mutation.ts';

/** A case goes over a socket: fewer of them than where none does. */
const FRAMES = CASES / 40;
const REQUESTS = CASES / 200;

const HASH = 'ab'.repeat(32);
const ADDRESS = 'bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202';
const REQUEST: Record<string, object> = {
  ping: { timestamp: 1 },
  'block-header-best-raw': {},
  'block-headers-by-height-raw': { height: 111 },
  'sync-status': {},
  'utxos-by-address': { filter_mempool: true, address: ADDRESS, start: 0, count: 10 },
  'balance-by-address': { address: ADDRESS },
  'fee-estimate': {},
  'tx-by-id': { tx_id: HASH },
  'tx-by-id-raw': { tx_id: HASH },
  'tx-broadcast': {
    tx: {
      Version: 2,
      TxIn: [{ PreviousOutPoint: { Hash: HASH, Index: 0 }, SignatureScript: 'AAA=', Witness: null, Sequence: 4294967295 }],
      TxOut: [{ Value: 1, PkScript: 'agA=' }],
      LockTime: 0,
    },
    force: false,
  },
  'tx-broadcast-raw': { tx: '0200', force: true },
  'block-by-l2-abrev-hash': { l2_keystone_abrev_hashes: [HASH] },
  'l2-keystone-txs-by-abrev-hash': { l2_keystone_abrev_hash: HASH, depth: 3 },
  'keystones-by-height': { height: 111, depth: -3 },
};
const STRANGE: unknown[] = [null, -1, 1.5, 1e308, 2 ** 53, '', 'x', [], {}, [null], true, '__proto__', { __proto__: 1 }, HASH.slice(1), '\u0000'];

/** A value with one place of it, at any depth, replaced by something strange. */
function spoil(random: SeededRandom, value: unknown): unknown {
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  if (keys.length === 0 || random.next() < 0.2) return pick(random, STRANGE);
  const key = pick(random, keys);
  const inner = spoil(random, (value as Record<string, unknown>)[key]);
  return Array.isArray(value) ? value.map((one, i) => (String(i) === key ? inner : one)) : { ...(value as object), [key]: inner };
}

function randomFrame(random: SeededRandom): string {
  const name = pick(random, Object.keys(REQUEST));
  const frame = { header: { command: `tbcapi-${name}-request`, id: String(random.between(0, 9)) }, payload: REQUEST[name] };
  const text = JSON.stringify(random.next() < 0.6 ? { ...frame, payload: spoil(random, frame.payload) } : spoil(random, frame));
  if (random.next() < 0.7) return text;
  return Buffer.from(mutate(random, Buffer.from(text))).toString('utf8');
}

test('whatever is sent to the TBC and REST endpoints is answered, and none of it is a fault of the node', { timeout: TIMEOUT_MS }, async () => {
  const network = await createTestNetwork();
  const faults: unknown[] = [];
  const log = Object.assign(Object.create(silentLogger), { error: (fields: unknown) => faults.push(fields) });
  const common = { clock: network.clock, log };
  const tbc = createTbcServer(createTbcDeps(network.sequencer.node, { ...common, bitcoin: network.bitcoin.rpc }), { host: '127.0.0.1', port: 0 });
  const rest = createRestServer(createRpcDeps(network.sequencer.node, common), { host: '127.0.0.1', port: 0 });
  await tbc.start(new AbortController().signal);
  await rest.start(new AbortController().signal);
  await network.sequencer.build(2);
  const client = await connectTbc(tbc.url());
  const random = createSeededRandom(SEED);
  const seen = new Set<string>();
  for (let i = 0; i < FRAMES; i += 1) {
    const text = randomFrame(random);
    // A response needs no answer.
    if (/-response"/.test(text)) continue;
    const { header, payload } = await client.send(text);
    expect(header.command, `case ${i} of seed ${SEED}: ${text}`).not.toMatch(/-request$/);
    seen.add(`${header.command} ${payload.error === undefined}`);
    if (payload.error !== undefined) expect(payload.error, text).toEqual({ timestamp: expect.any(Number), message: expect.any(String) });
    expect(faults, `case ${i} of seed ${SEED}: ${text}`).toEqual([]);
  }
  // Most commands are both carried out and refused, so the campaign reaches what it is for.
  expect(seen.size).toBeGreaterThan(20);
  for (let i = 0; i < REQUESTS; i += 1) {
    const path = Buffer.from(mutate(random, Buffer.from(`/v2/keystonefinality/${HASH}`)))
      .toString('latin1')
      .replace(/[^!-~]/g, '%');
    const response = await fetch(`${rest.url()}/${path.replace(/^\/+/, '')}`);
    expect([200, 400, 404], `request ${i} of seed ${SEED}: ${path}`).toContain(response.status);
    expect(await response.json()).toHaveProperty('error');
  }
  expect(faults).toEqual([]);
  client.close();
  await tbc.stop();
  await rest.stop();
  await network.close();
});
