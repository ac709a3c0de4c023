import type { BitcoinNetwork } from '@hemid/protocol';
import type { Secret } from '@hemid/runtime';
import { HDKey } from '@scure/bip32';
import { mnemonicToSeed, validateMnemonic } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { fail } from '../errors.ts';
import { type AddressKind, toPopSecret } from '../pop-wallet.ts';

/** BIP-43 purposes: BIP-84 and BIP-44. */
const PURPOSES: Record<AddressKind, number> = { p2wpkh: 84, p2pkh: 44 };

/** Where wallets have the first address of a kind (BIP-44, BIP-84): coin type 0 on mainnet, 1 elsewhere. */
export function defaultPath({ network, kind }: { network: BitcoinNetwork; kind: AddressKind }): string {
  return `m/${PURPOSES[kind]}'/${network === 'mainnet' ? 0 : 1}'/0'/0/0`;
}

/**
 * The secret that English words stand for (BIP-39, without a passphrase) at a path like `m/84'/0'/0'/0/0` (BIP-32;
 * `h` for `'` is understood).
 *
 * @throws `pop-miner/mnemonic`, which never shows the words.
 */
export async function readMnemonic(text: string, path: string): Promise<Secret<Uint8Array>> {
  const words = text.trim().toLowerCase().split(/\s+/).join(' ');
  if (!validateMnemonic(words, wordlist)) {
    throw fail('pop-miner/mnemonic', 'the mnemonic is not 12 to 24 English words with the right checksum (BIP-39)');
  }
  const master = HDKey.fromMasterSeed(await mnemonicToSeed(words));
  const { privateKey } = derive(master, path.replaceAll(/h/gi, "'"));
  if (privateKey === null) throw fail('pop-miner/mnemonic', `there is no private key at ${path}`);
  return toPopSecret(privateKey);
}

function derive(master: HDKey, path: string): HDKey {
  try {
    return master.derive(path);
  } catch {
    // The path alone can be wrong, and the cause may hold keys.
    throw fail('pop-miner/mnemonic', `"${path}" is no path of a key: it looks like m/84'/0'/0'/0/0`);
  }
}
