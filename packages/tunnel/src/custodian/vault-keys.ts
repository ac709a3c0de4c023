import { compare, equal, toWshVault, type Vault } from '@hemid/protocol';
import { getPublicKey } from '@noble/secp256k1';

/** A vault, and how it is spent. */
export type VaultKeys = Vault;

/** The vault `wsh(sortedmulti(required, keys…))` (BIP-383, BIP-67) of some custodians' keys, of whom `required` sign. */
export function sortedMulti(required: number, publicKeys: readonly Uint8Array[]): VaultKeys {
  return toWshVault(required, [...publicKeys].sort(compare));
}

/** The public key of a custodian, as the vault knows it: x only in taproot. */
export function publicKeyIn({ spending }: VaultKeys, secret: Uint8Array): Uint8Array {
  const key = getPublicKey(secret);
  return spending.kind === 'tr-key' || spending.kind === 'tr-leaf' ? key.slice(1) : key;
}

/** Which of the keys this one is. */
export function keyIndex({ publicKeys }: VaultKeys, key: Uint8Array): number {
  return publicKeys.findIndex((one) => equal(one, key));
}
