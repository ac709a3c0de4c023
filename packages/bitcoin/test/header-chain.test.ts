import { readFileSync } from 'node:fs';
import { type ChainSpec, decodeBitcoinHeader, encodeBitcoinHeader, hashBitcoinHeader, isHemidError, parseChainSpec, toHex } from '@hemid/protocol';
import { openMemoryStore, type Store } from '@hemid/store';
import { beforeEach, expect, test } from 'vitest';
import { type HeaderChain, openHeaderChain } from '../src/index.ts';

const spec: ChainSpec = parseChainSpec(JSON.parse(readFileSync(new URL('../../../configs/regtest.json', import.meta.url), 'utf8')));
let store: Store;
let chain: HeaderChain;
beforeEach(async () => {
  store = await openMemoryStore();
  chain = await openHeaderChain(store, spec);
});

const GENESIS = spec.genesis.bitcoin.genesisHeader;
const GENESIS_TIME = decodeBitcoinHeader(GENESIS).time;

/** A header on `parent` with proof of work; `tag` makes siblings differ. */
function mine(parent: Uint8Array, change: Partial<{ time: number; bits: number; version: number; tag: number; work: boolean }> = {}): Uint8Array {
  const previous = hashBitcoinHeader(parent);
  const { time = decodeBitcoinHeader(parent).time + 60, bits = 0x207fffff, version = 4, tag = 0, work = true } = change;
  for (let nonce = 0; ; nonce += 1) {
    const header = encodeBitcoinHeader({ version, previous, merkleRoot: new Uint8Array(32).fill(tag), time, bits, nonce });
    const wins = (hashBitcoinHeader(header)[31] ?? 0xff) < 0x80;
    if (wins === work) return header;
  }
}

function run(parent: Uint8Array, count: number, tag = 0): Uint8Array[] {
  const headers: Uint8Array[] = [];
  for (let i = 0; i < count; i += 1) headers.push(mine(headers[i - 1] ?? parent, { tag }));
  return headers;
}

async function ruleOf(headers: Uint8Array[]): Promise<unknown> {
  try {
    await chain.add(headers);
  } catch (error) {
    if (isHemidError(error)) return error.details['rule'] ?? error.code;
    throw error;
  }
  return 'accepted';
}

const hashes = (headers: Uint8Array[]): string[] => headers.map((header) => toHex(hashBitcoinHeader(header)));

test('the heaviest branch is best, and on a tie the one seen first', async () => {
  const a = run(GENESIS, 3, 1);
  const b = run(GENESIS, 3, 2);
  await chain.add(a);
  await chain.add(b);
  expect(toHex(chain.best().hash)).toBe(hashes(a)[2]);
  await chain.add([mine(b[2] as Uint8Array, { tag: 2 })]);
  expect(chain.best().height).toBe(4);
  expect(chain.isAncestor(hashBitcoinHeader(b[0] as Uint8Array), chain.best().hash)).toBe(true);
  expect(chain.isAncestor(hashBitcoinHeader(a[0] as Uint8Array), chain.best().hash)).toBe(false);
  expect(chain.best().work).toBe(8n);
});

test('ancestors are found on the best branch and on side branches, and a route leads through the fork', async () => {
  const trunk = run(GENESIS, 5);
  const side = run(trunk[1] as Uint8Array, 2, 7);
  await chain.add(trunk);
  await chain.add(side);
  const tip = hashBitcoinHeader(side[1] as Uint8Array);
  expect(toHex(chain.ancestor(tip, 2)?.hash as Uint8Array)).toBe(hashes(trunk)[1]);
  expect(toHex(chain.ancestor(tip, 3)?.hash as Uint8Array)).toBe(hashes(side)[0]);
  expect(chain.ancestor(tip, 0)?.height).toBe(0);
  expect(chain.ancestor(tip, 5)).toBeUndefined();
  const route = chain.route(tip, chain.best().hash);
  expect(route.removed.map(toHex)).toEqual(hashes(side).reverse());
  expect(route.added.map(toHex)).toEqual(hashes(trunk).slice(2));
  expect(chain.commonAncestor(tip, chain.best().hash).height).toBe(2);
});

test('a header without work, with other bits, from before the median, or of a low version is refused by the name of its rule', async () => {
  const trunk = run(GENESIS, 12);
  await chain.add(trunk);
  const tip = trunk[11] as Uint8Array;
  const median = GENESIS_TIME + 60 * 7;
  expect(await ruleOf([mine(tip, { work: false })])).toBe('proof of work');
  expect(await ruleOf([mine(tip, { bits: 0x207ffffe })])).toMatch(/bits/);
  expect(await ruleOf([mine(tip, { time: median })])).toMatch(/median/);
  expect(await ruleOf([mine(tip, { time: median + 1 })])).toBe('accepted');
  expect(await ruleOf([mine(tip, { version: 3 })])).toMatch(/version/);
  expect(await ruleOf([mine(tip, { version: -1 })])).toMatch(/version/);
  expect(await ruleOf([mine(mine(tip, { tag: 9 }))])).toBe('bitcoin/header-orphan');
});

test('headers before an invalid one are kept, and everything is there again after reopening', async () => {
  const trunk = run(GENESIS, 4);
  const bad = mine(trunk[3] as Uint8Array, { work: false });
  expect(await ruleOf([...trunk, bad])).toBe('proof of work');
  const side = run(GENESIS, 4, 5);
  await chain.add(side);
  const again = await openHeaderChain(store, spec);
  expect(toHex(again.best().hash)).toBe(hashes(trunk)[3]);
  expect(again.best().work).toBe(8n);
  expect(again.read(hashBitcoinHeader(side[3] as Uint8Array))?.height).toBe(4);
  expect(again.read(hashBitcoinHeader(bad))).toBeUndefined();
});

test('a header that was changed in any byte is refused or is another header', async () => {
  const [first] = run(GENESIS, 1);
  for (let i = 0; i < 80; i += 1) {
    const changed = (first as Uint8Array).slice();
    changed[i] = (changed[i] ?? 0) ^ 1;
    const verdict = await ruleOf([changed]);
    if (verdict === 'accepted') expect(toHex(hashBitcoinHeader(changed))).not.toBe(hashes([first as Uint8Array])[0]);
  }
  expect(chain.best().height).toBe(1);
});
