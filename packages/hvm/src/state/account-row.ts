import { RLP } from '@ethereumjs/rlp';
import { Account } from '@ethereumjs/util';
import { fromBigEndian, toMinimal } from '@hemid/protocol';

/** An account as the state and the account trie hold it: RLP [nonce, balance, storage root, code hash]. */
export function encodeAccount(account: Account): Uint8Array {
  return RLP.encode([toMinimal(account.nonce), toMinimal(account.balance), account.storageRoot, account.codeHash]);
}

/** The inverse of {@link encodeAccount}. */
export function decodeAccount(bytes: Uint8Array): Account {
  const [nonce, balance, storageRoot, codeHash] = RLP.decode(bytes) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  return new Account(fromBigEndian(nonce), fromBigEndian(balance), storageRoot, codeHash);
}

/** A copy: the VM changes accounts after it has put them. */
export function copyAccount(account: Account): Account {
  return new Account(account.nonce, account.balance, account.storageRoot, account.codeHash);
}
