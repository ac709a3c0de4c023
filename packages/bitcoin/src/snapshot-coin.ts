import { Point } from '@noble/secp256k1';
import { fail } from './errors.ts';

/** An unspent output as a snapshot holds it. */
export interface SnapshotCoin {
  vout: number;
  /** Height of the block that made it. */
  height: number;
  isCoinbase: boolean;
  valueSats: bigint;
  script: Uint8Array;
}

/** The unspent outputs of one transaction, by ascending output number. */
export interface CoinGroup {
  /** Internal order. */
  txid: Uint8Array;
  coins: SnapshotCoin[];
}

const MAX_SATS = 2_100_000_000_000_000n;
/** Longer ones never enter the unspent set. */
const MAX_SCRIPT = 10_000;
/** Script forms below this number are compressed ones, of this many kinds (Bitcoin Core, compressor.h). */
const SPECIAL_SCRIPTS = 6;

/** Why a snapshot cannot be what bitcoind wrote. */
export const damaged = (what: string): Error => fail('bitcoin/unspent-file', `the file of the unspent set is damaged: ${what}`);

/** Thrown by a read behind the last byte at hand. */
const MORE = Symbol('more bytes are needed');

/** Reads the forms of a snapshot one behind the other. */
interface Cursor {
  at: number;
  bytes: Uint8Array;
}

function take(cursor: Cursor, size: number): Uint8Array {
  const end = cursor.at + size;
  if (end > cursor.bytes.length) throw MORE;
  const bytes = cursor.bytes.slice(cursor.at, end);
  cursor.at = end;
  return bytes;
}

function takeByte(cursor: Cursor): number {
  const byte = cursor.bytes[cursor.at];
  if (byte === undefined) throw MORE;
  cursor.at += 1;
  return byte;
}

/** Bitcoin's VARINT: base 128, the highest digit first, each but the last less by one. */
function takeVarint(cursor: Cursor): bigint {
  let value = 0;
  for (let digits = 0; digits < 6; digits += 1) {
    const byte = takeByte(cursor);
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return BigInt(value);
    value += 1;
  }
  let big = BigInt(value);
  for (;;) {
    const byte = takeByte(cursor);
    big = (big << 7n) | BigInt(byte & 0x7f);
    if (big >= 1n << 64n) throw damaged('a number has more than 64 bits');
    if (byte < 0x80) return big;
    big += 1n;
  }
}

function takeCompactSize(cursor: Cursor): number {
  const first = takeByte(cursor);
  if (first < 0xfd) return first;
  const size = first === 0xfd ? 2 : 4;
  if (first === 0xff) throw damaged('a count has 64 bits');
  const value = take(cursor, size).reduceRight((sum, byte) => sum * 256 + byte, 0);
  if (value < (size === 2 ? 0xfd : 0x1_0000)) throw damaged('a count is longer than it has to be');
  return value;
}

/** The amount of a compressed amount, in satoshis: the powers of ten stand in the last digit (Bitcoin Core, compressor.cpp). */
export function decompressAmount(compressed: bigint): bigint {
  if (compressed === 0n) return 0n;
  const x = compressed - 1n;
  const exponent = x % 10n;
  const rest = x / 10n;
  const digits = exponent < 9n ? (rest / 9n) * 10n + (rest % 9n) + 1n : rest + 1n;
  return digits * 10n ** exponent;
}

/** P2PK of an uncompressed key, of which the snapshot holds only x and the parity of y. */
function payToUncompressed(x: Uint8Array, isOdd: boolean): Uint8Array {
  const compressed = new Uint8Array(33);
  compressed[0] = isOdd ? 3 : 2;
  compressed.set(x, 1);
  let key: Uint8Array;
  try {
    key = Point.fromBytes(compressed).toBytes(false);
  } catch {
    throw damaged('a public key is not on the curve');
  }
  return Uint8Array.of(65, ...key, 0xac);
}

function takeScript(cursor: Cursor): Uint8Array {
  const form = takeVarint(cursor);
  switch (form) {
    case 0n:
      return Uint8Array.of(0x76, 0xa9, 20, ...take(cursor, 20), 0x88, 0xac);
    case 1n:
      return Uint8Array.of(0xa9, 20, ...take(cursor, 20), 0x87);
    case 2n:
    case 3n:
      return Uint8Array.of(33, Number(form), ...take(cursor, 32), 0xac);
    case 4n:
    case 5n:
      return payToUncompressed(take(cursor, 32), form === 5n);
    default: {
      const size = form - BigInt(SPECIAL_SCRIPTS);
      if (size > MAX_SCRIPT) throw damaged('a script is longer than any that can be spent');
      return take(cursor, Number(size));
    }
  }
}

function takeCoin(cursor: Cursor): SnapshotCoin {
  const vout = takeCompactSize(cursor);
  const code = takeVarint(cursor);
  const valueSats = decompressAmount(takeVarint(cursor));
  if (code > 0xffff_ffffn) throw damaged('a height has more than 31 bits');
  if (valueSats > MAX_SATS) throw damaged('an output holds more Bitcoin than there can be');
  return { vout, height: Math.floor(Number(code) / 2), isCoinbase: (code & 1n) === 1n, valueSats, script: takeScript(cursor) };
}

/**
 * The outputs of one transaction from `offset` on, and the offset behind them; `undefined` when `bytes` end before
 * they do. bitcoind writes them in the order of its database's keys, which for numbers from 16512 on is not theirs.
 *
 * @throws `bitcoin/unspent-file`
 */
export function readCoinGroup(bytes: Uint8Array, offset: number): { group: CoinGroup; next: number } | undefined {
  const cursor = { bytes, at: offset };
  try {
    const txid = take(cursor, 32);
    const count = takeCompactSize(cursor);
    if (count === 0) throw damaged('a transaction has no outputs');
    const coins: SnapshotCoin[] = [];
    for (let i = 0; i < count; i += 1) coins.push(takeCoin(cursor));
    if (count > 1) coins.sort((a, b) => a.vout - b.vout);
    if (coins.some(({ vout }, i) => vout === coins[i - 1]?.vout)) throw damaged('an output stands in it twice');
    return { group: { txid, coins }, next: cursor.at };
  } catch (error) {
    if (error === MORE) return undefined;
    throw error;
  }
}

/** The bytes of one output that `hash_serialized_3` runs over (Bitcoin Core, TxOutSer in kernel/coinstats.cpp). */
export function serializeCoin(txid: Uint8Array, { vout, height, isCoinbase, valueSats, script }: SnapshotCoin): Uint8Array {
  const prefix = script.length < 0xfd ? 1 : 3;
  const bytes = new Uint8Array(48 + prefix + script.length);
  const view = new DataView(bytes.buffer);
  bytes.set(txid);
  view.setUint32(32, vout, true);
  view.setUint32(36, height * 2 + (isCoinbase ? 1 : 0), true);
  view.setBigInt64(40, valueSats, true);
  if (prefix === 1) bytes[48] = script.length;
  else {
    bytes[48] = 0xfd;
    view.setUint16(49, script.length, true);
  }
  bytes.set(script, 48 + prefix);
  return bytes;
}
