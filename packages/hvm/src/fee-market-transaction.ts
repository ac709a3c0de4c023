import type { Common } from '@ethereumjs/common';
import { FeeMarket1559Tx } from '@ethereumjs/tx';
import { Address } from '@ethereumjs/util';

/** Gas limit of one transaction (EIP-7825). */
const MAX_GAS = 16_777_216n;
const FIELDS = 12;
const TO = 5;
const DATA = 7;
const ACCESS_LIST = 8;
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

/** The bytes of a field. */
const fieldOf = (raw: Uint8Array, field: number): Uint8Array => raw.slice(starts[field], ends[field]);

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

/** The numbers of a transaction. */
interface Numbers {
  nonce: bigint;
  tip: bigint;
  cap: bigint;
  gasLimit: bigint;
  value: bigint;
  parity: bigint;
  r: bigint;
  s: bigint;
}

/** The numbers of the fields that were found, all of them usual. */
function numbersOf(raw: Uint8Array, chainId: bigint): Numbers | undefined {
  const nonce = integerAt(raw, 1, 8);
  const tip = integerAt(raw, 2, 32);
  const cap = integerAt(raw, 3, 32);
  const gasLimit = integerAt(raw, 4, 8);
  const value = integerAt(raw, 6, 32);
  const parity = integerAt(raw, 9, 1);
  const r = integerAt(raw, 10, 32);
  const s = integerAt(raw, 11, 32);
  if (nonce === undefined || tip === undefined || cap === undefined || gasLimit === undefined) return undefined;
  if (value === undefined || parity === undefined || r === undefined || s === undefined) return undefined;
  if (integerAt(raw, 0, 8) !== chainId || nonce >= MAX_NONCE || gasLimit > MAX_GAS) return undefined;
  if (tip > cap || gasLimit * cap > MAX_WORD) return undefined;
  if (parity > 1n || r === 0n || s === 0n || s > HALF_ORDER) return undefined;
  return { nonce, tip, cap, gasLimit, value, parity, r, s };
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
  if (raw[0] !== TYPE || !findFields(raw)) return undefined;
  const to = fieldOf(raw, TO);
  const numbers = to.length === 20 ? numbersOf(raw, common.chainId()) : undefined;
  if (numbers === undefined) return undefined;
  const tx = Object.create(FeeMarket1559Tx.prototype) as { -readonly [K in keyof FeeMarket1559Tx]: FeeMarket1559Tx[K] };
  tx.type = TYPE;
  tx.cache = {};
  (tx as unknown as { activeCapabilities: number[] }).activeCapabilities = CAPABILITIES;
  tx.common = sharedCommon(common);
  (tx as unknown as { txOptions: object }).txOptions = { common, freeze: false };
  tx.to = new Address(to);
  tx.nonce = numbers.nonce;
  tx.gasLimit = numbers.gasLimit;
  tx.value = numbers.value;
  tx.data = fieldOf(raw, DATA);
  tx.v = numbers.parity;
  tx.r = numbers.r;
  tx.s = numbers.s;
  tx.chainId = common.chainId();
  tx.accessList = [];
  tx.maxFeePerGas = numbers.cap;
  tx.maxPriorityFeePerGas = numbers.tip;
  return tx as FeeMarket1559Tx;
}
