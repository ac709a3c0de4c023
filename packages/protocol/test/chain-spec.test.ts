import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { canonicalJson, isHemidError, parseChainSpec, rulesAt, slotAt, toHex } from '../src/index.ts';

const regtest = (): { genesis: Record<string, unknown>; upgrades: unknown[] } =>
  JSON.parse(readFileSync(new URL('../../../configs/regtest.json', import.meta.url), 'utf8'));

function reasonOf(json: unknown): string {
  try {
    parseChainSpec(json);
  } catch (error) {
    if (isHemidError(error, 'protocol/chain-spec')) return error.message;
    throw error;
  }
  return 'accepted';
}

test('configs/regtest.json is a chain spec', () => {
  const spec = parseChainSpec(regtest());
  expect(spec.genesis.keystonePeriod).toBe(25);
  expect(spec.genesis.gasLimit).toBe(30_000_000n);
  expect(slotAt(spec, BigInt(spec.genesis.time) + 24n)).toBe(2n);
  expect(slotAt(spec, BigInt(spec.genesis.time) + 25n)).toBeUndefined();
});

test('unknown and wrong keys are refused, each by its name', () => {
  const unknown = regtest();
  Object.assign(unknown.genesis, { surprise: 1 });
  expect(reasonOf(unknown)).toMatch(/surprise/);
  const wrong = regtest();
  Object.assign(wrong.genesis, { chainId: 'x' });
  expect(reasonOf(wrong)).toMatch(/genesis\.chainId/);
  const budget = regtest();
  Object.assign(budget.genesis, { gasLimit: 10_000_000 });
  expect(reasonOf(budget)).toMatch(/system budget/);
  const vault = regtest();
  Object.assign(vault.genesis, { tunnel: { ...(vault.genesis['tunnel'] as object), vault: 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4' } });
  expect(reasonOf(vault)).toMatch(/not an address of regtest/);
});

test('two different objects have different genesis hashes, the order of keys does not matter, upgrades are outside', () => {
  const base = parseChainSpec(regtest());
  const other = regtest();
  Object.assign(other.genesis, { popPool: '1' });
  expect(toHex(parseChainSpec(other).genesisHash)).not.toBe(toHex(base.genesisHash));
  const shuffled = regtest();
  const reversed = { ...shuffled, genesis: Object.fromEntries(Object.entries(shuffled.genesis).reverse()) };
  expect(toHex(parseChainSpec(reversed).genesisHash)).toBe(toHex(base.genesisHash));
  const upgraded = { ...regtest(), upgrades: [{ timestamp: 1 }] };
  expect(toHex(parseChainSpec(upgraded).genesisHash)).toBe(toHex(base.genesisHash));
});

test('an upgrade applies from its timestamp on; a former vault stays watched', () => {
  const json = regtest();
  const vault = 'bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202';
  const limits = { minimumDepositSats: 1, depositFeeSats: 2, withdrawalFeeSats: 3, minimumWithdrawalSats: 40 };
  const spec = parseChainSpec({
    ...json,
    upgrades: [
      { timestamp: 100, vault },
      { timestamp: 200, limits },
    ],
  });
  expect(rulesAt(spec, 99n).vaults).toHaveLength(1);
  expect(rulesAt(spec, 100n).vaults).toHaveLength(2);
  expect(toHex(rulesAt(spec, 100n).vaults[0] as Uint8Array)).toBe(`0x0014${'00'.repeat(20)}`);
  expect(rulesAt(spec, 199n).limits.depositFeeSats).toBe(2_000n);
  expect(rulesAt(spec, 200n).limits.depositFeeSats).toBe(2n);
  expect(reasonOf({ ...json, upgrades: [{ timestamp: 5 }, { timestamp: 5 }] })).toMatch(/ascend/);
});

test('canonical JSON sorts keys and refuses what JSON does not have', () => {
  expect(canonicalJson({ b: [1, 'ä', null], a: { d: true, c: 1e21 } })).toBe('{"a":{"c":1e+21,"d":true},"b":[1,"ä",null]}');
  expect(() => canonicalJson({ a: undefined })).toThrow();
  expect(() => canonicalJson([1n])).toThrow();
});
