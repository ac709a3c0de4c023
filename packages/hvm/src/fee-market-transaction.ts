import type { Common } from '@ethereumjs/common';
import { FeeMarket1559Tx } from '@ethereumjs/tx';
import { Address } from '@ethereumjs/util';

/** Gas limit of one transaction (EIP-7825). */
const MAX_GAS = 16_777_216n;
const FIELDS = 12;
const TYPE = 2;
/** What the constructor of a type-2 transaction says that it can: fee market, typed envelope, access list. */
const CAPABILITIES = [1559, 2718, 2930];
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;
const MAX_WORD = (1n << 256n) - 1n;

/** The fields of an RLP list of byte strings; `undefined` where one is a list that is not empty, or RLP is not minimal. */
function fieldsOf(raw: Uint8Array): Uint8Array[] | undefined {
  let at = 1;
  const head = raw[at] ?? 0;
  if (head === 0xf8) {
    if ((raw[at + 1] ?? 0) <= 55 || at + 2 + (raw[at + 1] ?? 0) !== raw.length) return undefined;
    at += 2;
  } else if (head === 0xf9) {
    if (raw[at + 1] === 0 || at + 3 + (((raw[at + 1] ?? 0) << 8) | (raw[at + 2] ?? 0)) !== raw.length) return undefined;
    at += 3;
  } else {
    return undefined;
  }
  const fields: Uint8Array[] = [];
  while (at < raw.length) {
    const prefix = raw[at] ?? 0;
    let [start, length] = [at, 1];
    if (prefix === 0xc0) [start, length] = [at + 1, 0];
    else if (prefix > 0xb8) return undefined;
    else if (prefix === 0xb8) {
      [start, length] = [at + 2, raw[at + 1] ?? 0];
      if (length <= 55) return undefined;
    } else if (prefix >= 0x80) {
      [start, length] = [at + 1, prefix - 0x80];
      if (length === 1 && (raw[start] ?? 0) < 0x80) return undefined;
    }
    at = start + length;
    if (at > raw.length) return undefined;
    // Only the access list is a list: an empty one is the only one that is taken here.
    if ((prefix === 0xc0) !== (fields.length === 8)) return undefined;
    fields.push(raw.slice(start, at));
  }
  return fields.length === FIELDS ? fields : undefined;
}

/** An integer of at most `size` bytes without a leading zero. */
function integerOf(bytes: Uint8Array, size: number): bigint | undefined {
  const { length } = bytes;
  if (length > size || bytes[0] === 0) return undefined;
  if (length > 6) return BigInt(`0x${Buffer.from(bytes.buffer, bytes.byteOffset, length).toString('hex')}`);
  let value = 0;
  for (let i = 0; i < length; i += 1) value = value * 256 + (bytes[i] ?? 0);
  return BigInt(value);
}

/** The numbers of a transaction, in RLP order, all of them usual. */
function numbersOf(fields: Uint8Array[], chainId: bigint): bigint[] | undefined {
  const sizes = [8, 8, 32, 32, 8, undefined, 32, undefined, undefined, 1, 32, 32];
  const numbers: bigint[] = [];
  for (const [i, size] of sizes.entries()) {
    const value = size === undefined ? 0n : integerOf(fields[i] as Uint8Array, size);
    if (value === undefined) return undefined;
    numbers.push(value);
  }
  const [chain, nonce, tip, cap, gasLimit, , , , , parity, r, s] = numbers as [bigint, ...bigint[]] & Record<number, bigint>;
  const isUsual =
    chain === chainId &&
    (nonce as bigint) < 2n ** 64n - 1n &&
    (gasLimit as bigint) <= MAX_GAS &&
    (tip as bigint) <= (cap as bigint) &&
    (gasLimit as bigint) * (cap as bigint) <= MAX_WORD &&
    (parity as bigint) <= 1n &&
    (r as bigint) > 0n &&
    (s as bigint) > 0n &&
    (s as bigint) <= HALF_ORDER;
  return isUsual ? numbers : undefined;
}

/** A Common for transactions to share: @ethereumjs/tx copies it for each. */
const shared = new WeakMap<Common, Common>();

function sharedCommon(common: Common): Common {
  const known = shared.get(common);
  if (known !== undefined) return known;
  const copy = common.copy();
  shared.set(common, copy);
  return copy;
}

/**
 * A type-2 transaction as `createTxFromRLP(raw, { common, freeze: false })` makes it, without its constructor, which
 * takes most of the time of decoding.
 *
 * @returns `undefined` for every transaction that is in any way unusual: then the constructor has the word.
 */
export function decodeFeeMarket(raw: Uint8Array, common: Common): FeeMarket1559Tx | undefined {
  const fields = raw[0] === TYPE ? fieldsOf(raw) : undefined;
  const to = fields?.[5];
  if (fields === undefined || to?.length !== 20) return undefined;
  const numbers = numbersOf(fields, common.chainId());
  if (numbers === undefined) return undefined;
  const tx = Object.create(FeeMarket1559Tx.prototype) as { -readonly [K in keyof FeeMarket1559Tx]: FeeMarket1559Tx[K] };
  tx.type = TYPE;
  tx.cache = {};
  (tx as unknown as { activeCapabilities: number[] }).activeCapabilities = CAPABILITIES;
  tx.common = sharedCommon(common);
  (tx as unknown as { txOptions: object }).txOptions = { common, freeze: false };
  tx.to = new Address(to);
  tx.nonce = numbers[1] as bigint;
  tx.gasLimit = numbers[4] as bigint;
  tx.value = numbers[6] as bigint;
  tx.data = fields[7] as Uint8Array;
  tx.v = numbers[9] as bigint;
  tx.r = numbers[10] as bigint;
  tx.s = numbers[11] as bigint;
  tx.chainId = common.chainId();
  tx.accessList = [];
  tx.maxFeePerGas = numbers[3] as bigint;
  tx.maxPriorityFeePerGas = numbers[2] as bigint;
  return tx as FeeMarket1559Tx;
}
