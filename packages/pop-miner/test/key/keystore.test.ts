import { decryptKeystore, encryptKeystore } from '@hemid/pop-miner';
import { toDigits } from '@hemid/protocol';
import { Secret, systemRandom } from '@hemid/runtime';
import { describe, expect, it } from 'vitest';

/** The Web3 Secret Storage Definition's own test vectors. */
const PASSWORD = new Secret('testpassword');
const SECRET = '7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d';
const BY_SCRYPT = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '83dbcc02d8ccb40e466191a123791e0e' },
    ciphertext: 'd172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c',
    kdf: 'scrypt',
    kdfparams: { dklen: 32, n: 262144, r: 1, p: 8, salt: 'ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19' },
    mac: '2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097',
  },
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
};
const BY_PBKDF2 = {
  crypto: {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
    ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
    kdf: 'pbkdf2',
    kdfparams: { c: 262144, dklen: 32, prf: 'hmac-sha256', salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd' },
    mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
  },
  id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
  version: 3,
};

const changed = (change: (file: typeof BY_SCRYPT) => void): string => {
  const file = structuredClone(BY_SCRYPT);
  change(file);
  return JSON.stringify(file);
};

describe('a keystore', () => {
  it.each([
    ['scrypt', BY_SCRYPT],
    ['PBKDF2', BY_PBKDF2],
  ])('opens as the definition says, by %s', async (_, file) => {
    expect(toDigits((await decryptKeystore(JSON.stringify(file), PASSWORD)).reveal())).toBe(SECRET);
  });

  it('gives back what it was made of, and shows neither secret nor password', async () => {
    const secret = new Secret(new Uint8Array(32).fill(7));
    const password = new Secret('pässword with spaces');
    const text = await encryptKeystore(secret, { password, random: systemRandom });
    expect(JSON.parse(text)).toMatchObject({
      version: 3,
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    });
    expect(text).not.toContain('07'.repeat(16));
    expect((await decryptKeystore(text, password)).reveal()).toEqual(secret.reveal());
    await expect(decryptKeystore(text, new Secret('pässword with space'))).rejects.toMatchObject({
      code: 'pop-miner/keystore',
      message: 'the password does not open the keystore',
    });
  });

  it('is refused when a byte of it is another one', async () => {
    const damaged = JSON.stringify(BY_PBKDF2).replace('5318b4d5', '5318b4d4');
    await expect(decryptKeystore(damaged, PASSWORD)).rejects.toMatchObject({ code: 'pop-miner/keystore' });
  });

  it.each([
    ['is not JSON', 'not JSON', /not JSON/],
    ['has another version', changed((file) => (file.version = 4)), /look at version/],
    ['has another cipher', changed((file) => (file.crypto.cipher = 'aes-128-cbc')), /look at crypto.cipher/],
    ['has a short key', changed((file) => (file.crypto.ciphertext = 'd172')), /look at crypto.ciphertext/],
    ['mixes up its kdfs', changed((file) => (file.crypto.kdf = 'pbkdf2')), /not those of its kdf/],
    ['has an n that is no power of two', changed((file) => (file.crypto.kdfparams.n = 3)), /look at crypto.kdfparams/],
    ['asks for terabytes', changed((file) => (file.crypto.kdfparams.n = 2 ** 34)), /too large/],
  ])('is refused, and not quoted, when it %s', async (_, text, message) => {
    const error = await decryptKeystore(text, PASSWORD).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'pop-miner/keystore', message: expect.stringMatching(message) });
    expect(String(error)).not.toContain(BY_SCRYPT.crypto.mac);
  });
});
