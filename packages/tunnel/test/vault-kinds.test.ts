import { descriptorChecksum, equal, readVaultDescriptor, scriptToAddress, toDigits, type Vault } from '@hemid/protocol';
import { type Bitcoind, type BitcoinWallet, createBitcoinWallet, createSeededRandom, startBitcoind } from '@hemid/testkit';
import { getPublicKey } from '@noble/secp256k1';
import type { Transaction } from 'bitcoinjs-lib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assemble, type Batch, type Partial, readPartials, signBatch, toPsbt } from '../src/index.ts';

let bitcoind: Bitcoind;
let treasury: BitcoinWallet;
/** Of a wallet of bitcoind: an account, by its extended public key with its origin, and by the secret root and the path. */
let cold: { publicKey: string; secretKey: string };
const ask = async <T>(method: string, ...params: unknown[]): Promise<T> => (await bitcoind.rpc(method, params)) as T;

beforeAll(async () => {
  bitcoind = await startBitcoind();
  treasury = createBitcoinWallet({ rpc: bitcoind.rpc, secret: 'treasury' });
  await treasury.mine(130);
  await ask('createwallet', 'cold', false, false, '', false, true);
  const accountOf = async (isSecret: boolean): Promise<string> => {
    const { descriptors } = await ask<{ descriptors: { desc: string }[] }>('listdescriptors', isSecret);
    return descriptors.flatMap(({ desc }) => /^wpkh\((.*)\/0\/\*\)/.exec(desc)?.[1] ?? [])[0] ?? '';
  };
  cold = { publicKey: await accountOf(false), secretKey: await accountOf(true) };
  await ask('unloadwallet', 'cold');
});
afterAll(() => bitcoind.stop());

const withChecksum = (text: string): string => `${text}#${descriptorChecksum(text)}`;
const random = createSeededRandom(387);
/** A key of which nobody knows the secret (BIP-341). */
const NOBODY = '50929b74c1a04954b78b4b6035e97a5e078a5a0f28ec96d547bfee9ace803ac0';
const newSecret = (): Uint8Array => Uint8Array.from({ length: 32 }, () => random.between(1, 254));
const newKey = (): string => toDigits(getPublicKey(newSecret()));
const newXOnly = (): string => newKey().slice(2);
const some = (max: number, make: () => string): string[] => Array.from({ length: random.between(1, max) }, make);

/** A descriptor of each kind, of random keys; `multi` closes two brackets. */
const kinds: Record<string, () => string> = {
  wpkh: () => `wpkh(${newKey()})`,
  'wpkh with an origin': () => `wpkh([d34db33f/84h/1'/0h]${newKey()})`,
  'wpkh of an extended key': () => `wpkh(${cold.publicKey}/${random.between(0, 9)}/${random.between(0, 2 ** 31 - 1)})`,
  'wsh(sortedmulti)': () => multi('wsh(sortedmulti', 20, newKey),
  'wsh(multi)': () => multi('wsh(multi', 20, newKey),
  tr: () => `tr(${random.between(0, 1) === 0 ? newKey() : newXOnly()})`,
  'tr with a key': () => `tr(${newKey()},pk(${newXOnly()}))`,
  'tr with multi_a': () => `tr(${NOBODY},${multi('multi_a', 30, newXOnly)}`,
  'tr with sortedmulti_a': () => `tr(${NOBODY},${multi('sortedmulti_a', 30, newKey)}`,
  'tr with a tree': () => `tr(${newXOnly()},{{pk(${newXOnly()}),pk(${newXOnly()})},${multi('multi_a', 3, newXOnly).slice(0, -1)}})`,
};

/** Opened with `name(`, closed with as many brackets as `wsh(multi(` and `tr(KEY,multi_a(` want. */
function multi(name: string, max: number, make: () => string): string {
  const keys = some(max, make);
  return `${name}(${random.between(1, keys.length)},${keys.join(',')}))`;
}

const ROUNDS = process.env['HEMID_LONG'] === '1' ? 200 : 8;

describe('a descriptor gives the script and the checksum that bitcoind gives:', () => {
  test.each(Object.keys(kinds))('%s', async (kind) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const text = (kinds[kind] as () => string)();
      const { checksum } = await ask<{ checksum: string }>('getdescriptorinfo', text);
      const described = `${text}#${checksum}`;
      const [address] = await ask<string[]>('deriveaddresses', described);
      expect(scriptToAddress(readVaultDescriptor(described, 'regtest').script, 'regtest'), described).toBe(address);
    }
  });
});

/** Two coins on a vault, and the batch that pays two people from them. */
async function batchOf(vault: Vault): Promise<Batch> {
  const values = [100_000n, 70_000n];
  const { tx } = await treasury.pay({ outputs: values.map((valueSats) => ({ to: vault.script, valueSats })) });
  const coins = values.map((valueSats, vout) => ({ txid: tx.getHash(), vout, valueSats }));
  const requests = [1n, 2n].map((id) => ({ id, sats: 50_000n, feeSats: 3_000n, blockNumber: 1n, script: treasury.scripts.p2tr }));
  return { requests, coins, vault: vault.script };
}

/** Signatures of some of a vault's custodians, each by way of a PSBT; @returns the complete transaction. */
function complete(batch: Batch, vault: Vault, secrets: readonly Uint8Array[]): Transaction | undefined {
  const signing = { batch, vault };
  const partials: Partial[] = secrets.flatMap((secret) => readPartials(toPsbt(signing, [signBatch(signing, secret)]), signing));
  return assemble(signing, partials);
}

async function isAccepted(transaction: Transaction | undefined): Promise<boolean> {
  const [verdict] = await ask<{ allowed: boolean; 'reject-reason'?: string }[]>('testmempoolaccept', [transaction?.toHex()]);
  if (verdict?.allowed !== true) throw new Error(verdict?.['reject-reason']);
  return true;
}

const secrets = [newSecret(), newSecret(), newSecret(), newSecret()] as const;
const [first, second, third] = secrets.map((secret) => toDigits(getPublicKey(secret))) as [string, string, string, string];

describe('custodians spend, and bitcoind takes it, from', () => {
  const twoOfThree: Record<string, string> = {
    'wsh(sortedmulti)': `wsh(sortedmulti(2,${first},${second},${third}))`,
    'wsh(multi)': `wsh(multi(2,${first},${second},${third}))`,
    'tr with sortedmulti_a': `tr(${NOBODY},sortedmulti_a(2,${first},${second},${third}))`,
    'tr with multi_a in a tree': `tr(${NOBODY},{multi_a(2,${first},${second},${third}),pk(${newXOnly()})})`,
  };
  test.each(Object.entries(twoOfThree))('%s, any two of three; with one, or a stranger, it stays', async (_, text) => {
    const vault = readVaultDescriptor(withChecksum(text), 'regtest');
    const batch = await batchOf(vault);
    const [a, b, c, stranger] = secrets;
    for (const pair of [
      [a, b],
      [c, a],
      [b, c],
    ]) {
      const transaction = complete(batch, vault, pair);
      expect(await isAccepted(transaction)).toBe(true);
      expect(transaction?.toHex()).toBe(complete(batch, vault, [...pair].reverse())?.toHex());
    }
    expect(complete(batch, vault, [a])).toBeUndefined();
    expect(complete(batch, vault, [a, a])).toBeUndefined();
    expect(complete(batch, vault, [a, b, c])?.ins[0]?.witness.filter((one) => one.length > 0)).toHaveLength(vault.spending.kind === 'wsh' ? 3 : 4);
    expect(() => complete(batch, vault, [stranger])).toThrow(/no key of the vault/);
  });

  const single: Record<string, string> = { wpkh: `wpkh(${first})`, tr: `tr(${first})`, 'tr with pk': `tr(${second},pk(${first}))` };
  test.each(Object.entries(single))('%s, its one custodian', async (_, text) => {
    const vault = readVaultDescriptor(withChecksum(text), 'regtest');
    const batch = await batchOf(vault);
    expect(await isAccepted(complete(batch, vault, [secrets[0]]))).toBe(true);
    expect(() => complete(batch, vault, [secrets[1]])).toThrow(/no key of the vault|not good/);
  });

  test('tr, whichever parity its internal and output keys have', async () => {
    const parities = new Set<string>();
    while (parities.size < 4) {
      const secret = newSecret();
      const key = toDigits(getPublicKey(secret));
      const leaf = readVaultDescriptor(withChecksum(`tr(${key},pk(${key}))`), 'regtest').spending;
      const parity = `${key.slice(0, 2)} ${leaf.kind === 'tr-leaf' ? leaf.controlBlock[0] : ''}`;
      if (parities.has(parity)) continue;
      parities.add(parity);
      for (const text of [`tr(${key})`, `tr(${key},pk(${key}))`]) {
        const vault = readVaultDescriptor(withChecksum(text), 'regtest');
        expect(await isAccepted(complete(await batchOf(vault), vault, [secret]))).toBe(true);
      }
    }
  });
});

test('an input of each kind takes no more vbytes than docs/protocol.md says', () => {
  const sizes: [string, number][] = [
    [`wpkh(${first})`, 68],
    [`tr(${first})`, 58],
    [`wsh(sortedmulti(2,${first},${second},${third}))`, 105],
    [`tr(${NOBODY},sortedmulti_a(2,${first},${second},${third}))`, 109],
  ];
  for (const [text, vbytes] of sizes) {
    const vault = readVaultDescriptor(withChecksum(text), 'regtest');
    const coins = Array.from({ length: 100 }, (_, vout) => ({ txid: new Uint8Array(32).fill(1), vout, valueSats: 100_000n }));
    const requests = [{ id: 1n, sats: 50_000n, feeSats: 3_000n, blockNumber: 1n, script: vault.script }];
    const sizeOf = (count: number) =>
      complete({ requests, coins: coins.slice(0, count), vault: vault.script }, vault, secrets.slice(0, vault.required))?.virtualSize() ?? 0;
    // An ECDSA signature is a byte shorter in half of all cases.
    const each = (sizeOf(41) - sizeOf(1)) / 40;
    expect(each, text).toBeLessThanOrEqual(vbytes);
    expect(each, text).toBeGreaterThan(vbytes - 1.2);
  }
});

describe('a wallet of bitcoind signs the PSBT of a batch as a cold custodian would, from', () => {
  const kinds: Record<string, (key: string) => string> = {
    'wsh(sortedmulti)': (key) => `wsh(sortedmulti(2,${first},${key},${third}))`,
    'tr with sortedmulti_a': (key) => `tr(${NOBODY},sortedmulti_a(2,${first},${key},${third}))`,
    wpkh: (key) => `wpkh(${key})`,
    tr: (key) => `tr(${key})`,
  };
  test.each(Object.entries(kinds))('%s', async (kind, describeWith) => {
    const vault = readVaultDescriptor(withChecksum(describeWith(`${cold.publicKey}/0/7`)), 'regtest');
    const batch = await batchOf(vault);
    const signing = { batch, vault };
    await ask('createwallet', kind, false, true, '', false, true);
    const [imported] = await ask<{ success: boolean }[]>('importdescriptors', [
      { desc: withChecksum(describeWith(`${cold.secretKey}/0/7`)), timestamp: 'now' },
    ]);
    expect(imported).toMatchObject({ success: true });
    const { psbt } = await ask<{ psbt: string }>('walletprocesspsbt', toPsbt(signing, []), true, 'DEFAULT', true, false);
    await ask('unloadwallet', kind);
    const theirs = readPartials(psbt, signing);
    expect(theirs).toHaveLength(1);
    const own = vault.required === 2 ? [signBatch(signing, secrets[0])] : [];
    expect(await isAccepted(assemble(signing, [...own, ...theirs]))).toBe(true);
  });
});

describe('a hostile custodian’s taproot signature is refused:', () => {
  const vault = readVaultDescriptor(withChecksum(`tr(${NOBODY},sortedmulti_a(2,${first},${second},${third}))`), 'regtest');
  const coin = (n: number, valueSats: bigint) => ({ txid: new Uint8Array(32).fill(n), vout: n, valueSats });
  const request = { id: 1n, sats: 50_000n, feeSats: 3_000n, blockNumber: 1n, script: Uint8Array.of(0, 20, ...new Uint8Array(20)) };
  const batch: Batch = { requests: [request], coins: [coin(1, 100_000n)], vault: vault.script };
  const signing = { batch, vault };
  const good = signBatch(signing, secrets[0]);
  const [signature = new Uint8Array()] = good.signatures;
  const bad: [string, Partial][] = [
    ['changed', { ...good, signatures: [signature.with(9, (signature[9] ?? 0) ^ 1)] }],
    ['with a hash type of its own', { ...good, signatures: [Uint8Array.of(...signature, 0x82)] }],
    ['under another key', { ...good, publicKey: vault.publicKeys.find((key) => !equal(key, good.publicKey)) ?? new Uint8Array() }],
    ['of another batch', signBatch({ vault, batch: { ...batch, coins: [coin(1, 100_001n)] } }, secrets[0])],
  ];
  test.each(bad)('%s', (_, partial) => {
    expect(readPartials(toPsbt(signing, [good]), signing)).toEqual([good]);
    expect(() => readPartials(toPsbt(signing, [partial]), signing)).toThrow(/not good/);
  });

  test('any byte of the PSBT changed gives the same signature, or that it is refused, and nothing else', () => {
    const bytes = Uint8Array.from(Buffer.from(toPsbt(signing, [good]), 'base64'));
    for (let n = 0; n < 200; n += 1) {
      const at = random.between(0, bytes.length - 1);
      const changed = Buffer.from(bytes.with(at, (bytes[at] ?? 0) ^ random.between(1, 255))).toString('base64');
      try {
        for (const partial of readPartials(changed, signing)) expect(partial.signatures.map(toDigits)).toEqual(good.signatures.map(toDigits));
      } catch (error) {
        expect(error).toMatchObject({ code: 'tunnel/partial' });
      }
    }
  });
});
