import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  type BitcoinNetwork,
  DEFAULT_SIGNET_CHALLENGE,
  encodeBitcoinHeader,
  hashBitcoinHeader,
  headersBeforeCount,
  isHemidError,
  parseChainSpec,
  toDisplay,
  toHex,
} from '../src/index.ts';

const UNSPENT = `${'00'.repeat(31)}ff`;
const VAULTS = { mainnet: 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', test: 'tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx' };

function run(count: number): string[] {
  const headers: string[] = [];
  let previous: Uint8Array = new Uint8Array(32);
  for (let time = 0; time < count; time += 1) {
    const header = encodeBitcoinHeader({ version: 4, previous, merkleRoot: new Uint8Array(32), time, bits: 0x1d00ffff, nonce: 0 });
    headers.push(toHex(header));
    previous = hashBitcoinHeader(header);
  }
  return headers;
}

const RUN = run(2028);

interface Json {
  genesis: { bitcoin: Record<string, unknown>; tunnel: { vault: string }; chainId: unknown };
}

/** A spec of a network that is right, and what is changed of its `bitcoin`. */
function specOf(network: BitcoinNetwork, change: Record<string, unknown> = {}): Json {
  const json = JSON.parse(readFileSync(new URL('../../../configs/regtest.json', import.meta.url), 'utf8')) as Json;
  if (network !== 'regtest') {
    json.genesis.tunnel.vault = network === 'mainnet' ? VAULTS.mainnet : VAULTS.test;
    Object.assign(json.genesis.bitcoin, {
      network,
      genesisHeight: 2027,
      genesisHeader: RUN[2027],
      headersBefore: RUN.slice(0, 2027),
      unspent: { hashSerialized: UNSPENT },
      ...(network === 'signet' ? { signetChallenge: toHex(DEFAULT_SIGNET_CHALLENGE) } : {}),
    });
  }
  Object.assign(json.genesis.bitcoin, change);
  return json;
}

function reasonOf(json: unknown): string {
  try {
    parseChainSpec(json);
  } catch (error) {
    if (isHemidError(error, 'protocol/chain-spec')) return error.message;
    throw error;
  }
  return 'accepted';
}

test('every network has its chain spec', () => {
  for (const network of ['mainnet', 'testnet4', 'signet', 'regtest'] as const) expect(reasonOf(specOf(network))).toBe('accepted');
});

test('the unspent set is named as bitcoind prints its hash, and kept in internal order', () => {
  const { unspent } = parseChainSpec(specOf('mainnet')).genesis.bitcoin;
  if (unspent === 'none') expect.unreachable();
  expect(toDisplay(unspent.hashSerialized)).toBe(UNSPENT);
  expect(unspent.hashSerialized[0]).toBe(0xff);
  expect(reasonOf(specOf('regtest', { unspent: { hashSerialized: UNSPENT } }))).toBe('accepted');
});

test('development is for regtest only, and part of what the genesis commits to', () => {
  for (const network of ['mainnet', 'testnet4', 'signet', 'regtest'] as const) {
    const json = specOf(network);
    Object.assign(json.genesis, { development: true });
    if (network === 'regtest') expect(parseChainSpec(json).genesisHash).not.toEqual(parseChainSpec(specOf(network)).genesisHash);
    else expect(reasonOf(json)).toMatch(new RegExp(`development is allowed on regtest only, not on ${network}`));
  }
});

test('an empty start is for regtest only', () => {
  for (const network of ['mainnet', 'testnet4', 'signet'] as const) {
    expect(reasonOf(specOf(network, { unspent: 'none' }))).toMatch(/"none" is allowed on regtest only/);
  }
});

test('what is wrong with the unspent set is said of its own key', () => {
  const of = (unspent: unknown): string => reasonOf(specOf('mainnet', { unspent }));
  expect(of({ hashSerialized: `0x${UNSPENT}` })).toMatch(/genesis\.bitcoin\.unspent\.hashSerialized: must be 64/);
  expect(of({ hashSerialized: UNSPENT.toUpperCase() })).toMatch(/genesis\.bitcoin\.unspent\.hashSerialized: must be 64/);
  expect(of({ hashSerialized: UNSPENT, height: 1 })).toMatch(/genesis\.bitcoin\.unspent: .*"height"/);
  expect(of({})).toMatch(/genesis\.bitcoin\.unspent\.hashSerialized/);
  expect(of('all')).toMatch(/genesis\.bitcoin\.unspent: .*"none"/);
});

test('all wrong keys are named at once', () => {
  const json = specOf('mainnet', { unspent: { hashSerialized: 'x' }, indexLag: -1 });
  json.genesis.chainId = 'x';
  const reason = reasonOf(json);
  for (const key of ['genesis.chainId', 'genesis.bitcoin.unspent.hashSerialized', 'genesis.bitcoin.indexLag']) expect(reason).toContain(key);
  const later = specOf('testnet4', { unspent: 'none', signetChallenge: '0x51' });
  later.genesis.tunnel.vault = VAULTS.mainnet;
  for (const part of [/unspent/, /signetChallenge/, /not an address of testnet4/]) expect(reasonOf(later)).toMatch(part);
});

test('a signet has its challenge, and nothing else has one', () => {
  expect(parseChainSpec(specOf('signet')).genesis.bitcoin.signetChallenge).toEqual(DEFAULT_SIGNET_CHALLENGE);
  expect(reasonOf(specOf('signet', { signetChallenge: undefined }))).toMatch(/signetChallenge is missing/);
  expect(reasonOf(specOf('mainnet', { signetChallenge: '0x51' }))).toMatch(/is for signet/);
});

test('2027 connected headers stand before the hVM genesis, up to 11 on regtest', () => {
  expect(headersBeforeCount('mainnet', 2027)).toBe(2027);
  expect(headersBeforeCount('signet', 2026)).toBeUndefined();
  expect([0, 5, 11, 5000].map((height) => headersBeforeCount('regtest', height))).toEqual([0, 5, 11, 11]);
  expect(reasonOf(specOf('mainnet', { headersBefore: RUN.slice(1, 2027) }))).toMatch(/has 2026 headers, 2027 are needed/);
  expect(reasonOf(specOf('mainnet', { genesisHeight: 2026 }))).toMatch(/at least 2027/);
  expect(reasonOf(specOf('mainnet', { headersBefore: [RUN[1], ...RUN.slice(1, 2027)] }))).toMatch(/not one connected run/);
  expect(reasonOf(specOf('mainnet', { genesisHeader: RUN[2026] }))).toMatch(/not one connected run/);
});

test('another challenge or unspent set is another network', () => {
  const hashOf = (json: Json): string => toHex(parseChainSpec(json).genesisHash);
  expect(hashOf(specOf('signet', { signetChallenge: '0x51' }))).not.toBe(hashOf(specOf('signet')));
  expect(hashOf(specOf('mainnet', { unspent: { hashSerialized: '11'.repeat(32) } }))).not.toBe(hashOf(specOf('mainnet')));
});
