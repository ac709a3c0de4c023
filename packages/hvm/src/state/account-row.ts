import { Account, KECCAK256_NULL, KECCAK256_RLP } from '@ethereumjs/util';
import { equal } from '@hemid/protocol';
import { allocate } from '@hemid/store';
import { fail } from '../errors.ts';

/** An account as the state and the account trie hold it: RLP [nonce, balance, storage root, code hash]. */
export function encodeAccount(account: Account): Uint8Array {
  const [nonce, balance] = [sizeOf(account.nonce), sizeOf(account.balance)];
  const length = stringSize(account.nonce, nonce) + stringSize(account.balance, balance) + 66;
  const out = allocate(2 + length);
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

/** Bytes of a number below 2^48 without leading zeros. */
const sizeOfPart = (part: number): number =>
  part < 0x1_0000_0000 ? (39 - Math.clz32(part)) >> 3 : 4 + ((39 - Math.clz32(part / 0x1_0000_0000)) >> 3);

/** Bytes of an integer without leading zeros. */
function sizeOf(value: bigint): number {
  if (value < 0x1_0000_0000_0000n) return sizeOfPart(Number(value));
  const high = value >> 48n;
  return high < 0x1_0000_0000_0000n ? 6 + sizeOfPart(Number(high)) : (value.toString(16).length + 1) >> 1;
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
  const [start, end] = [at + 1, at + 1 + prefix - 0x80];
  if (end - start > 12) return { value: BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('hex')}`), end };
  const middle = Math.max(start, end - 6);
  const low = BigInt(partAt(bytes, middle, end));
  return { value: middle === start ? low : (BigInt(partAt(bytes, start, middle)) << 48n) | low, end };
}

/** The number of up to six bytes. */
function partAt(bytes: Uint8Array, start: number, end: number): number {
  let part = 0;
  for (let i = start; i < end; i += 1) part = part * 256 + (bytes[i] ?? 0);
  return part;
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
