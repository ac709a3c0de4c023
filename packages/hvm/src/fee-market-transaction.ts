import type { Common } from '@ethereumjs/common';
import { FeeMarket1559Tx } from '@ethereumjs/tx';
import { Address } from '@ethereumjs/util';

/** Gas limit of one transaction (EIP-7825). */
const MAX_GAS = 16_777_216n;
const FIELDS = 12;
const TO = 5;
const DATA = 7;
const ACCESS_LIST = 8;
const V = 9;
const R = 10;
const S = 11;
const NOTHING = new Uint8Array();
const TYPE = 2;
/** What the constructor of a type-2 transaction says that it can: fee market, typed envelope, access list. */
const CAPABILITIES = [1559, 2718, 2930];
const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;
const MAX_WORD = (1n << 256n) - 1n;
const MAX_NONCE = 2n ** 64n - 1n;

/** Where the fields of the transaction that is being decoded begin and end: nothing waits in between. */
const starts = new Uint32Array(FIELDS);
const ends = new Uint32Array(FIELDS);

/** Where the list of the fields begins; `undefined` where its length is not that of the bytes, or not minimal. */
function listStart(raw: Uint8Array): number | undefined {
  const length = raw[2] ?? 0;
  if (raw[1] === 0xf8) return length > 55 && length + 3 === raw.length ? 3 : undefined;
  if (raw[1] === 0xf9) return length > 0 && (length << 8) + (raw[3] ?? 0) + 4 === raw.length ? 4 : undefined;
  return undefined;
}

/** Finds the fields of a list of byte strings; false where one is a list that is not empty, or RLP is not minimal. */
function findFields(raw: Uint8Array): boolean {
  let at = listStart(raw) ?? raw.length;
  let count = 0;
  for (; at < raw.length && count < FIELDS; count += 1) {
    const prefix = raw[at] ?? 0;
    let [start, length] = [at, 1];
    if (prefix === 0xc0) [start, length] = [at + 1, 0];
    else if (prefix > 0xb8) return false;
    else if (prefix === 0xb8) {
      [start, length] = [at + 2, raw[at + 1] ?? 0];
      if (length <= 55) return false;
    } else if (prefix >= 0x80) {
      [start, length] = [at + 1, prefix - 0x80];
      if (length === 1 && (raw[start] ?? 0) < 0x80) return false;
    }
    // Only the access list is a list: an empty one is the only one that is taken here.
    if ((prefix === 0xc0) !== (count === ACCESS_LIST)) return false;
    at = start + length;
    starts[count] = start;
    ends[count] = at;
  }
  return count === FIELDS && at === raw.length;
}

/** The bytes of a field: a part of the transaction's own. */
const fieldOf = (raw: Uint8Array, field: number): Uint8Array => raw.subarray(starts[field], ends[field]);

/** The integer of a field, of at most `size` bytes without a leading zero. */
function integerAt(raw: Uint8Array, field: number, size: number): bigint | undefined {
  const [start, end] = [starts[field] as number, ends[field] as number];
  const length = end - start;
  if (length > size || (length > 0 && raw[start] === 0)) return undefined;
  if (length > 6) return BigInt(`0x${Buffer.from(raw.buffer, raw.byteOffset + start, length).toString('hex')}`);
  let value = 0;
  for (let at = start; at < end; at += 1) value = value * 256 + (raw[at] ?? 0);
  return BigInt(value);
}

/** The numbers of a transaction that are asked for. */
interface Numbers {
  nonce: bigint;
  tip: bigint;
  cap: bigint;
  gasLimit: bigint;
  value: bigint;
}

/** Whether the signature is one that may be: its numbers are not read, nobody asks for them but who shows or hashes the transaction. */
function hasUsualSignature(raw: Uint8Array): boolean {
  for (const field of [R, S]) {
    const [start, end] = [starts[field] as number, ends[field] as number];
    if (end === start || end - start > 32 || raw[start] === 0) return false;
  }
  const parity = integerAt(raw, V, 1);
  if (parity === undefined || parity > 1n) return false;
  const start = starts[S] as number;
  const isLow = (ends[S] as number) - start < 32 || (raw[start] as number) < 0x7f;
  return isLow || (integerAt(raw, S, 32) as bigint) <= HALF_ORDER;
}

/** The numbers of the fields that were found, all of them usual. */
function numbersOf(raw: Uint8Array, chainId: bigint): Numbers | undefined {
  const nonce = integerAt(raw, 1, 8);
  const tip = integerAt(raw, 2, 32);
  const cap = integerAt(raw, 3, 32);
  const gasLimit = integerAt(raw, 4, 8);
  const value = integerAt(raw, 6, 32);
  if (nonce === undefined || tip === undefined || cap === undefined || gasLimit === undefined || value === undefined) return undefined;
  if (integerAt(raw, 0, 8) !== chainId || nonce >= MAX_NONCE || gasLimit > MAX_GAS) return undefined;
  if (tip > cap || gasLimit * cap > MAX_WORD || !hasUsualSignature(raw)) return undefined;
  return { nonce, tip, cap, gasLimit, value };
}

/** What a transaction holds itself; the rest is alike in all of a chain, or read from `encoded` when somebody asks. */
interface Lean {
  encoded: Uint8Array;
  /** Set by who recovers it. */
  sender: Uint8Array | undefined;
  nonce: bigint;
  gasLimit: bigint;
  value: bigint;
  data: Uint8Array;
  to: Address;
  maxFeePerGas: bigint;
  maxPriorityFeePerGas: bigint;
}

/** A number that is read from the bytes each time. */
function reading(field: number): PropertyDescriptor {
  return {
    get(this: Lean): bigint {
      findFields(this.encoded);
      return integerAt(this.encoded, field, 32) as bigint;
    },
  };
}

/** By the rule set; each has a Common for its transactions to share, which @ethereumjs/tx copies for each. */
const prototypes = new WeakMap<Common, object>();

/** What all transactions of a chain have in common: a pool holds tens of thousands of them. */
function prototypeOf(common: Common): object {
  const known = prototypes.get(common);
  if (known !== undefined) return known;
  const prototype = Object.create(FeeMarket1559Tx.prototype, {
    type: { value: TYPE },
    activeCapabilities: { value: CAPABILITIES },
    common: { value: common.copy() },
    txOptions: { value: { common, freeze: false } },
    chainId: { value: common.chainId() },
    accessList: { value: Object.freeze([]) },
    cache: { get: () => ({}) },
    v: reading(V),
    r: reading(R),
    s: reading(S),
    getSenderAddress: {
      value(this: Lean & FeeMarket1559Tx): Address {
        return this.sender === undefined ? FeeMarket1559Tx.prototype.getSenderAddress.call(this) : new Address(this.sender);
      },
    },
  }) as object;
  prototypes.set(common, prototype);
  return prototype;
}

/**
 * A type-2 transaction as `createTxFromRLP(raw, { common, freeze: false })` makes it, without its constructor, which
 * takes most of the time of decoding. It goes on using `raw`.
 *
 * @returns `undefined` for every transaction that is in any way unusual: then the constructor has the word.
 */
export function decodeFeeMarket(raw: Uint8Array, common: Common): FeeMarket1559Tx | undefined {
  if (raw[0] !== TYPE || !findFields(raw)) return undefined;
  const to = fieldOf(raw, TO);
  const numbers = to.length === 20 ? numbersOf(raw, common.chainId()) : undefined;
  if (numbers === undefined) return undefined;
  const tx = Object.create(prototypeOf(common)) as Lean;
  tx.encoded = raw;
  tx.sender = undefined;
  tx.nonce = numbers.nonce;
  tx.gasLimit = numbers.gasLimit;
  tx.value = numbers.value;
  tx.data = starts[DATA] === ends[DATA] ? NOTHING : fieldOf(raw, DATA);
  tx.to = new Address(to);
  tx.maxFeePerGas = numbers.cap;
  tx.maxPriorityFeePerGas = numbers.tip;
  return tx as unknown as FeeMarket1559Tx;
}
