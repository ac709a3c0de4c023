import type { BitcoinNetwork } from './bitcoin-address.ts';
import { type KeyReader, readHexKey, withoutOrigin } from './descriptor-key.ts';
import { fail } from './errors.ts';
import { readExtendedKey } from './extended-key.ts';
import { readVaultWith, type Vault } from './vault-descriptor.ts';

/**
 * The vault of an output descriptor (BIP-380 to 387) with its checksum, as wallets have it: {@link readVaultWith} says which
 * there are. Keys are hex, or extended public keys with a path.
 *
 * @throws `protocol/descriptor` saying what is wrong with it.
 */
export function readVaultDescriptor(text: string, network: BitcoinNetwork): Vault {
  const keyOf: KeyReader = (expression, options) => {
    const plain = withoutOrigin(expression);
    const key = readHexKey(plain, options) ?? readExtendedKey(plain, network);
    if (key !== undefined) return key;
    const forms = `66 hex digits${options.isXOnly ? ', 64 hex digits,' : ''} or an extended public key of ${network}`;
    throw fail('protocol/descriptor', `"${expression}" is no public key: ${forms} can stand here`);
  };
  return readVaultWith(text, keyOf);
}
