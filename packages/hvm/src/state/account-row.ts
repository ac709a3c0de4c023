import { Account, KECCAK256_NULL, KECCAK256_RLP } from '@ethereumjs/util';
import { equal } from '@hemid/protocol';
import { fail } from '../errors.ts';

/** An account as the state and the account trie hold it: RLP [nonce, balance, storage root, code hash]. */
export function encodeAccount(account: Account): Uint8Array {
  const [nonce, balance] = [sizeOf(account.nonce), sizeOf(account.balance)];
  const length = stringSize(account.nonce, nonce) + stringSize(account.balance, balance) + 66;
  const out = new Uint8Array(2 + length);
  out[0] = 0xf8;
  out[1] = length;
  let at = putInteger(out, 2, { value: account.nonce, size: nonce });
  at = putInteger(out, at, { value: account.balance, size: balance });
  for (const hash of [account.storageRoot, account.codeHash]) {
    out[at] = 0xa0;
    out.set(hash, at + 1);
    at += 33;
  }
  return out;
}

/** Bytes of an integer without leading zeros. */
function sizeOf(value: bigint): number {
  return value < 0x1_0000_0000n ? (39 - Math.clz32(Number(value))) >> 3 : (value.toString(16).length + 1) >> 1;
}

/** Size of an integer as RLP. */
const stringSize = (value: bigint, size: number): number => (size === 1 && value < 0x80n ? 1 : size + 1);

function putInteger(out: Uint8Array, at: number, { value, size }: { value: bigint; size: number }): number {
  if (size === 1 && value < 0x80n) {
    out[at] = Number(value);
    return at + 1;
  }
  out[at] = 0x80 + size;
  for (let i = size, left = value; i > 0; ) {
    // Six bytes at a time: arithmetic on bigints is what costs.
    let part = Number(left & 0xffff_ffff_ffffn);
    for (let k = 0; k < 6 && i > 0; k += 1, i -= 1) {
      out[at + i] = part % 256;
      part = Math.floor(part / 256);
    }
    left >>= 48n;
  }
  return at + 1 + size;
}

function integerAt(bytes: Uint8Array, at: number): { value: bigint; end: number } {
  const prefix = bytes[at] ?? 0;
  if (prefix < 0x80) return { value: BigInt(prefix), end: at + 1 };
  const end = at + 1 + prefix - 0x80;
  if (prefix - 0x80 > 6) return { value: BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset + at + 1, prefix - 0x80).toString('hex')}`), end };
  let value = 0;
  for (let i = at + 1; i < end; i += 1) value = value * 256 + (bytes[i] ?? 0);
  return { value: BigInt(value), end };
}

/** The same arrays for the hashes that nearly every account has. */
const shared = (hash: Uint8Array): Uint8Array => (equal(hash, KECCAK256_NULL) ? KECCAK256_NULL : equal(hash, KECCAK256_RLP) ? KECCAK256_RLP : hash);

/** The inverse of {@link encodeAccount}. */
export function decodeAccount(bytes: Uint8Array): Account {
  // 0xf8, length, two integers, two hashes: nothing else is ever written.
  const hashes = bytes.length - 66;
  const nonce = integerAt(bytes, 2);
  const balance = integerAt(bytes, nonce.end);
  if (bytes[0] !== 0xf8 || balance.end !== hashes) throw fail('hvm/state-missing', 'the row of an account is malformed');
  return new Account(nonce.value, balance.value, shared(bytes.subarray(hashes + 1, hashes + 33)), shared(bytes.subarray(hashes + 34)));
}

/** A copy: the VM changes accounts after it has put them. */
export function copyAccount(account: Account): Account {
  return new Account(account.nonce, account.balance, account.storageRoot, account.codeHash);
}
