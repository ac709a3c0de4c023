import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  canonicalJson,
  clearedSlot,
  configurationChanges,
  descriptorChecksum,
  genesisConfiguration,
  isHemidError,
  parseChainSpec,
  readVaultDescriptor,
  rulesAt,
  scriptToAddress,
  slotAt,
  toDisplay,
  toHex,
} from '../src/index.ts';

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
  const limits = { minimumDepositSats: 3, depositFeeSats: 2, withdrawalFeeSats: 60, minimumWithdrawalSats: 606 };
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

test('a vault may be a descriptor with its checksum, in the genesis and in an upgrade; a mistyped one is refused with the reason', () => {
  const json = regtest();
  const text = 'wpkh(03a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd)';
  const vault = `${text}#${descriptorChecksum(text)}`;
  const script = toHex(readVaultDescriptor(vault, 'regtest').script);
  const { vaults } = rulesAt(parseChainSpec({ ...json, upgrades: [{ timestamp: 100, vault }] }), 100n);
  expect(toHex(vaults[0] as Uint8Array)).toBe(script);
  expect(reasonOf({ ...json, upgrades: [{ timestamp: 100, vault: vault.replace('a34b', 'a34c') }] })).toMatch(/the vault "wpkh.*its checksum is #/);
  Object.assign(json.genesis, { tunnel: { ...(json.genesis['tunnel'] as object), vault } });
  expect(toHex(rulesAt(parseChainSpec(json), 0n).vaults[0] as Uint8Array)).toBe(script);
});

test('a vault that comes back is watched once, as the one in force', () => {
  const json = regtest();
  const { vault: first } = json.genesis['tunnel'] as { vault: string };
  const other = 'bcrt1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqdku202';
  const upgrades = [
    { timestamp: 100, vault: other },
    { timestamp: 200, vault: first.toUpperCase() },
  ];
  const { vaults } = rulesAt(parseChainSpec({ ...json, upgrades }), 200n);
  expect(vaults.map((script) => scriptToAddress(script, 'regtest'))).toEqual([first, other]);
});

test('limits that cannot work are refused: no coins for a deposit, dust or next to nothing for a withdrawal', () => {
  const good = { minimumDepositSats: 3, depositFeeSats: 2, withdrawalFeeSats: 60, minimumWithdrawalSats: 606 };
  const verdict = (change: object) => reasonOf({ ...regtest(), upgrades: [{ timestamp: 1, limits: { ...good, ...change } }] });
  expect(verdict({})).toBe('accepted');
  expect(verdict({ depositFeeSats: 3 })).toMatch(/upgrades\.0\.limits\.minimumDepositSats must be more than depositFeeSats/);
  expect(verdict({ minimumWithdrawalSats: 605 })).toMatch(/minimumWithdrawalSats less withdrawalFeeSats must be at least 546/);
  expect(verdict({ withdrawalFeeSats: 100, minimumWithdrawalSats: 999 })).toMatch(/at least 10 times withdrawalFeeSats/);
  const json = regtest();
  Object.assign(json.genesis, { tunnel: { ...(json.genesis['tunnel'] as object), limits: { ...good, depositFeeSats: 3 } } });
  expect(reasonOf(json)).toMatch(/wrong: tunnel\.limits\.minimumDepositSats/);
});

test('what is cleared is a txid as Bitcoin tools print it', () => {
  const json = regtest();
  const txid = `${'00'.repeat(31)}ff`;
  const [entry] = parseChainSpec({ ...json, upgrades: [{ timestamp: 1, clearBreach: txid }] }).upgrades;
  expect(toDisplay(entry?.clearBreach as Uint8Array)).toBe(txid);
  for (const bad of ['ff', `0x${txid}`, txid.toUpperCase(), 7]) {
    expect(reasonOf({ ...json, upgrades: [{ timestamp: 1, clearBreach: bad }] })).toMatch(/upgrades\.0\.clearBreach/);
  }
});

test('Tunnel is configured anew in the first block to which an upgrade applies, and in no other', () => {
  const spec = parseChainSpec({ ...regtest(), upgrades: [{ timestamp: 100, clearBreach: '11'.repeat(32) }, { timestamp: 200 }] });
  const changes = (parent: [number: bigint, timestamp: bigint], timestamp: bigint) =>
    configurationChanges(spec, { parent: { number: parent[0], timestamp: parent[1] }, timestamp });
  const cleared = toHex(clearedSlot(new Uint8Array(32).fill(0x11)));
  const slots = (writes: { slot: Uint8Array }[]) => writes.map(({ slot }) => toHex(slot));
  expect(changes([3n, 90n], 99n)).toEqual([]);
  expect(slots(changes([3n, 99n], 100n))).toEqual([...slots(genesisConfiguration(spec)), cleared]);
  expect(slots(changes([3n, 90n], 300n))).toContain(cleared);
  expect(changes([3n, 100n], 199n)).toEqual([]);
  expect(slots(changes([3n, 100n], 200n))).toEqual(slots(genesisConfiguration(spec)));
  expect(changes([3n, 200n], 300n)).toEqual([]);
  // The genesis has the configuration of the genesis object, whatever its time.
  expect(slots(changes([0n, 150n], 160n))).toContain(cleared);
});

test('canonical JSON sorts keys and refuses what JSON does not have', () => {
  expect(canonicalJson({ b: [1, 'ä', null], a: { d: true, c: 1e21 } })).toBe('{"a":{"c":1e+21,"d":true},"b":[1,"ä",null]}');
  expect(() => canonicalJson({ a: undefined })).toThrow();
  expect(() => canonicalJson([1n])).toThrow();
});
