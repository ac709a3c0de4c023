import { createPopWallet, defaultPath, readMnemonic } from '@hemid/pop-miner';
import { toDigits } from '@hemid/protocol';
import { describe, expect, it } from 'vitest';

/** The words of the test vectors of BIP-84. */
const WORDS = 'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about';

describe('a mnemonic', () => {
  it.each([
    ['p2wpkh', 'bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu'],
    ['p2pkh', '1LqBGSKuX5yYUonjxT5qGfpUsXKYYWeabA'],
  ] as const)('has the first %s address that is published for its words', async (kind, address) => {
    const secret = await readMnemonic(WORDS, defaultPath({ network: 'mainnet', kind }));
    expect(createPopWallet(secret, { network: 'mainnet', kind }).address).toBe(address);
    expect(String(secret)).toBe('[secret]');
  });

  it('lies at a path of its own off mainnet', () => {
    expect(defaultPath({ network: 'mainnet', kind: 'p2wpkh' })).toBe("m/84'/0'/0'/0/0");
    expect(defaultPath({ network: 'regtest', kind: 'p2wpkh' })).toBe("m/84'/1'/0'/0/0");
    expect(defaultPath({ network: 'testnet4', kind: 'p2pkh' })).toBe("m/44'/1'/0'/0/0");
  });

  it('is read whatever its spaces and capitals, and its path with h for hardened', async () => {
    const plain = await readMnemonic(WORDS, "m/84'/0'/0'/0/0");
    const other = await readMnemonic(`  ${WORDS.toUpperCase().replaceAll(' ', '\n ')}\n`, 'm/84h/0h/0h/0/0');
    expect(toDigits(other.reveal())).toBe(toDigits(plain.reveal()));
  });

  it.each([
    ['a wrong checksum', WORDS.replace('about', 'abandon'), 'm/0'],
    ['a word of no list', WORDS.replace('about', 'hemid'), 'm/0'],
    ['too few words', 'abandon about', 'm/0'],
    ['a path that is none', WORDS, "84'/0'"],
    ['an empty path', WORDS, ''],
  ])('is refused, and not quoted, for %s', async (_, words, path) => {
    const error = await readMnemonic(words, path).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'pop-miner/mnemonic' });
    expect(String(error)).not.toContain('abandon');
  });
});
