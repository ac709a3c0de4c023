import { expect, test } from 'vitest';
import { descriptorChecksum, isHemidError, readVaultDescriptor, toDigits, vaultScript } from '../src/index.ts';

const KEY = 'a34b99f22c790c4e36b2b3c2c35a36db06226e41c692fc82b8b56ac1c540c5bd';
const OTHER = '669b8afcec803a0d323e9a17f3ea8e68e8abe5a278020a929adbec52421adbd0';
const FULL = `03${KEY}`;
const XPUB = 'xpub6ERApfZwUNrhLCkDtcHTcxd75RbzS1ed54G1LkBUHQVHQKqhMkhgbmJbZRkrgZw4koxb5JaHWkY4ALHY2grBGRjaDMzQLcgJvLJuZZvRcEL';
const sealed = (text: string): string => `${text}#${descriptorChecksum(text)}`;
const scriptOf = (text: string): string => toDigits(readVaultDescriptor(sealed(text), 'mainnet').script);

/** Why a descriptor is refused. */
function reasonOf(text: string): string {
  try {
    readVaultDescriptor(text, 'mainnet');
  } catch (error) {
    if (isHemidError(error, 'protocol/descriptor')) return error.message;
    throw error;
  }
  return 'accepted';
}

test('the test vectors of BIP-386 give their scripts', () => {
  expect(scriptOf(`tr(${KEY})`)).toBe('512077aab6e066f8a7419c5ab714c12c67d25007ed55a43cadcacb4d7a970a093f11');
  expect(scriptOf(`tr(${KEY},pk(${OTHER}))`)).toBe('512017cf18db381d836d8923b1bdb246cfcd818da1a9f0e6e7907f187f0b2f937754');
});

test('a vault in taproot is known by x-only keys, sorted where the descriptor sorts them; the first leaf is whose keys sign', () => {
  const { publicKeys, required, spending } = readVaultDescriptor(sealed(`tr(${KEY},{sortedmulti_a(1,${KEY},02${OTHER}),pk(${KEY})})`), 'mainnet');
  expect([required, ...publicKeys.map(toDigits)]).toEqual([1, OTHER, KEY]);
  expect(spending).toMatchObject({ kind: 'tr-leaf' });
});

test('a vault of a chain spec is a descriptor or an address', () => {
  const text = sealed(`wpkh(${FULL})`);
  expect(toDigits(vaultScript(text, 'regtest'))).toBe(scriptOf(`wpkh(${FULL})`));
  expect(vaultScript(text, 'regtest')).toBe(vaultScript(text, 'regtest'));
  expect(toDigits(vaultScript('bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', 'mainnet'))).toBe('0014751e76e8199196d454941c45d1b3a323f1433bd6');
  expect(() => vaultScript('bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', 'signet')).toThrow(/not an address of signet, and no descriptor/);
});

test('a chain spec, which everybody reads, has no extended key: its keys are hex, with or without an origin', () => {
  const origin = '[d34db33f/84h/0h/0h]';
  expect(toDigits(vaultScript(sealed(`wpkh(${origin}${FULL})`), 'mainnet'))).toBe(scriptOf(`wpkh(${FULL})`));
  expect(toDigits(vaultScript(sealed(`tr(${KEY},pk(${OTHER}))`), 'mainnet'))).toBe(scriptOf(`tr(${KEY},pk(${OTHER}))`));
  for (const [text, forms] of [
    [`wpkh(${origin}${XPUB}/1/2)`, /66 hex digits can stand here, in place of an extended key write the vault's address/],
    [`tr(${XPUB}/1/2)`, /66 hex digits or 64 hex digits can stand here/],
  ] as const) {
    expect(scriptOf(text)).not.toBe('');
    expect(() => vaultScript(sealed(text), 'mainnet')).toThrow(forms);
  }
});

test('an extended key of another network is refused', () => {
  expect(scriptOf(`wpkh(${XPUB}/1/2)`)).toHaveLength(44);
  expect(() => readVaultDescriptor(sealed(`wpkh(${XPUB}/1/2)`), 'regtest')).toThrow(/no extended public key of regtest/);
});

const refused: [string, string, RegExp][] = [
  ['a missing checksum, and says which it would be', `wpkh(${FULL})`, new RegExp(`write #${descriptorChecksum(`wpkh(${FULL})`)} behind it`)],
  ['a mistyped key, by the checksum', sealed(`wpkh(${FULL})`).replace('a34b', 'a34c'), /its checksum is #/],
  ['a cut checksum', sealed(`wpkh(${FULL})`).slice(0, -1), /mistyped or cut/],
  ['characters of no descriptor', `wpkh(${FULL}é)#aaaaaaaa`, /no descriptor has/],
  ['a key that is no point', sealed(`wpkh(02${'ff'.repeat(32)})`), /no point on the curve/],
  ['an x-only key outside of taproot', sealed(`wpkh(${KEY})`), /is no public key: 66 hex digits or/],
  ['an uncompressed key', sealed(`wpkh(04${KEY}${KEY})`), /is no public key/],
  ['a secret key', sealed('wpkh(L4rK1yDtCWekvXuE6oXD9jCYfFNV2cWRpVuPLBcCU2z8TrisoyY1)'), /is no public key/],
  ['an extended key that stands for many vaults', sealed(`wpkh(${XPUB}/0/*)`), /a vault is one script/],
  ['a hardened step, for which the secret is needed', sealed(`wpkh(${XPUB}/0h)`), /a vault is one script/],
  ['more signers than keys', sealed(`wsh(sortedmulti(2,${FULL}))`), /2 of 1 keys cannot be/],
  ['none of the keys', sealed(`wsh(sortedmulti(0,${FULL}))`), /0 of 1 keys cannot be/],
  ['a key that stands twice', sealed(`wsh(multi(1,${FULL},${FULL}))`), /twice/],
  ['a key that stands twice with two parities', sealed(`tr(${OTHER},multi_a(1,03${KEY},${KEY}))`), /twice/],
  ['another script in wsh', sealed(`wsh(pk(${FULL}))`), /use wsh\(sortedmulti/],
  ['another leaf', sealed(`tr(${KEY},pkh(${KEY}))`), /use pk, multi_a or sortedmulti_a/],
  ['a tree with one branch', sealed(`tr(${KEY},{pk(${KEY})})`), /is no tree/],
  ['an address that nobody can sign for here', sealed('sh(multi(1))'), /is no vault that is known here/],
  ['nothing', sealed(''), /is no expression/],
  ['a bracket too many', sealed(`wpkh(${FULL}))`), /is no public key/],
];
test.each(refused)('refused: %s', (_, text, reason) => {
  expect(reasonOf(text)).toMatch(reason);
});

test('random text is refused with a reason, or read', () => {
  const pieces = [
    'wpkh(',
    'wsh(',
    'sortedmulti(',
    'tr(',
    'multi_a(',
    'pk(',
    '{',
    '}',
    '(',
    ')',
    ',',
    '1',
    '2',
    KEY,
    FULL,
    XPUB,
    '/0',
    '/*',
    '[',
    ']',
  ];
  let seed = 7;
  for (let n = 0; n < 2_000; n += 1) {
    let text = '';
    for (let i = 0; i < n % 9; i += 1) {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      text += pieces[Math.floor((seed / 2 ** 31) * pieces.length)];
    }
    expect(typeof reasonOf(sealed(text))).toBe('string');
  }
});
