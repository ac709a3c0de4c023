import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createPopWallet } from '@hemid/pop-miner';
import { toDigits } from '@hemid/protocol';
import { loadConfig, Secret } from '@hemid/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { popmdConfig } from '../src/config.ts';
import { readKey, readNewPassword } from '../src/key.ts';
import type { AskSecret } from '../src/prompt.ts';

const directory = mkdtempSync(join(tmpdir(), 'hemid-key-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

const KEY = 'a1'.repeat(32);
/** PBKDF2 by the Web3 Secret Storage Definition's test vector, whose password is `testpassword`. */
const KEYSTORE = file(
  'keystore.json',
  JSON.stringify({
    crypto: {
      cipher: 'aes-128-ctr',
      cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
      ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
      kdf: 'pbkdf2',
      kdfparams: { c: 262144, dklen: 32, prf: 'hmac-sha256', salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd' },
      mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
    },
    version: 3,
  }),
);
const KEYSTORE_KEY = '7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d';
const WORDS = file('words', 'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about\n');

/** A person who types these, one after the other; nobody without them. */
const person = (...words: string[]): AskSecret => {
  const left = [...words];
  return async () => {
    const word = left.shift();
    return word === undefined ? undefined : new Secret(word);
  };
};
const configOf = (env: Record<string, string>) => loadConfig(popmdConfig, { argv: [], env, envPrefix: 'POPM' });
const keyOf = async (env: Record<string, string>, ask = person()) => toDigits((await readKey(configOf(env), ask)).reveal());

describe('the key', () => {
  it('comes from the environment, or from a file', async () => {
    expect(await keyOf({ POPM_BITCOIN_SECRET: KEY })).toBe(KEY);
    expect(await keyOf({ POPM_BITCOIN_SECRET_FILE: file('key', `0x${KEY}\n`) })).toBe(KEY);
  });

  it('comes from a keystore, whose password is in a file, in the environment, or typed', async () => {
    expect(await keyOf({ POPM_KEYSTORE: KEYSTORE, POPM_KEYSTORE_PASSWORD_FILE: file('password', 'testpassword\n') })).toBe(KEYSTORE_KEY);
    expect(await keyOf({ POPM_KEYSTORE: KEYSTORE, POPM_KEYSTORE_PASSWORD: 'testpassword' })).toBe(KEYSTORE_KEY);
    expect(await keyOf({ POPM_KEYSTORE: KEYSTORE }, person('testpassword'))).toBe(KEYSTORE_KEY);
    await expect(keyOf({ POPM_KEYSTORE: KEYSTORE }, person('testpasswort'))).rejects.toMatchObject({ code: 'pop-miner/keystore' });
    await expect(keyOf({ POPM_KEYSTORE: KEYSTORE })).rejects.toMatchObject({ code: 'popmd/password' });
  });

  it('comes from a mnemonic, at the path of its network and kind of address, or at a given one', async () => {
    const addressAt = async (more: Record<string, string>) => {
      const config = configOf({ POPM_MNEMONIC_FILE: WORDS, ...more });
      return createPopWallet(await readKey(config, person()), { network: config.bitcoinNetwork, kind: config.addressType }).address;
    };
    expect(await addressAt({})).toBe('bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu');
    expect(await addressAt({ POPM_ADDRESS_TYPE: 'p2pkh' })).toBe('1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA');
    expect(await addressAt({ POPM_MNEMONIC_PATH: "m/84'/0'/0'/0/1" })).toBe('bc1qnjg0jd8228aq7egyzacy8cys3knf9xvrerkf9g');
  });

  it('is asked for by all its names when it is missing, or there twice', async () => {
    const names = 'POPM_BITCOIN_SECRET, --bitcoin-secret-file, --keystore, --mnemonic-file';
    await expect(keyOf({})).rejects.toMatchObject({ code: 'popmd/key', message: expect.stringContaining(`${names}: none is given`) });
    await expect(keyOf({ POPM_BITCOIN_SECRET: KEY, POPM_KEYSTORE: KEYSTORE })).rejects.toMatchObject({
      code: 'popmd/key',
      message: expect.stringContaining(`${names}: POPM_BITCOIN_SECRET and --keystore are given`),
    });
  });

  it('is not quoted when its file is none', async () => {
    const error = await keyOf({ POPM_BITCOIN_SECRET_FILE: file('bad', `${KEY}zz`) }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'pop-miner/secret' });
    expect(String(error)).not.toContain(KEY);
    await expect(keyOf({ POPM_BITCOIN_SECRET_FILE: join(directory, 'nowhere') })).rejects.toMatchObject({ code: 'popmd/key' });
  });
});

describe('a new password', () => {
  const config = configOf({ POPM_KEYSTORE: KEYSTORE });

  it('is typed twice', async () => {
    expect((await readNewPassword(config, person('one', 'one'))).reveal()).toBe('one');
    await expect(readNewPassword(config, person('one', 'two'))).rejects.toMatchObject({
      code: 'popmd/password',
      message: 'the two passwords differ',
    });
  });

  it('is not empty, and does not come from two places', async () => {
    await expect(readNewPassword(config, person('', ''))).rejects.toMatchObject({ code: 'popmd/password' });
    const both = configOf({ POPM_KEYSTORE_PASSWORD: 'one', POPM_KEYSTORE_PASSWORD_FILE: file('two', 'two') });
    await expect(readNewPassword(both, person())).rejects.toMatchObject({ code: 'popmd/password', message: expect.stringContaining('both') });
  });
});
