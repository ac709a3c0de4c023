import { keccak } from './state/keccak.ts';

/** What the signature of a raw transaction signs, and the signature. */
export interface SignedMessage {
  /** 32 bytes. */
  hash: Uint8Array;
  /** r ‖ s, 64 bytes. */
  signature: Uint8Array;
  recovery: number;
}

const HALF_ORDER = Buffer.from('7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0', 'hex');
/** Fields before the signature, by type. */
const UNSIGNED_FIELDS = [6, 8, 9, undefined, 10];

/** Where the payload of the RLP item at `at` begins and ends; `undefined` when it leaves the bytes. */
function itemAt(bytes: Uint8Array, at: number): { start: number; end: number } | undefined {
  const prefix = bytes[at];
  if (prefix === undefined) return undefined;
  if (prefix < 0x80) return { start: at, end: at + 1 };
  const base = prefix < 0xc0 ? 0x80 : 0xc0;
  const short = prefix - base;
  if (short <= 55) return at + 1 + short > bytes.length ? undefined : { start: at + 1, end: at + 1 + short };
  const size = short - 55;
  if (size > 4) return undefined;
  let length = 0;
  for (let i = 1; i <= size; i += 1) length = length * 256 + (bytes[at + i] ?? 0);
  const start = at + 1 + size;
  return start + length > bytes.length ? undefined : { start, end: start + length };
}

/** The bytes that were signed: the fields before the signature as a list of their own, behind the type. */
function signedBytes(type: number, fields: Uint8Array): Uint8Array {
  const { length } = fields;
  const head: number[] = type === 0 ? [] : [type];
  if (length <= 55) head.push(0xc0 + length);
  else if (length < 0x100) head.push(0xf8, length);
  else if (length < 0x1_0000) head.push(0xf9, length >> 8, length & 0xff);
  else head.push(0xfa, length >> 16, (length >> 8) & 0xff, length & 0xff);
  const bytes = new Uint8Array(head.length + length);
  bytes.set(head);
  bytes.set(fields, head.length);
  return bytes;
}

/** A number of at most six bytes. */
function small(bytes: Uint8Array): number {
  return bytes.length > 6 ? Number.NaN : bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

/** RLP of [chain id, 0, 0], that EIP-155 has a legacy transaction sign behind its own fields. */
function replayProtection(chainId: number): number[] {
  if (chainId < 0x80) return [chainId, 0x80, 0x80];
  const digits: number[] = [];
  for (let left = chainId; left > 0; left = Math.floor(left / 256)) digits.unshift(left % 256);
  return [0x80 + digits.length, ...digits, 0x80, 0x80];
}

/** The signed fields and the recovery id that `v` stands for. */
function unsigned(type: number, fields: Uint8Array, v: Uint8Array): { fields: Uint8Array; recovery: number } | undefined {
  const value = small(v);
  if (type !== 0) return value <= 1 ? { fields, recovery: value } : undefined;
  if (value === 27 || value === 28) return { fields, recovery: value - 27 };
  if (!(value >= 37)) return undefined;
  const recovery = (value - 35) % 2;
  const tail = replayProtection((value - 35 - recovery) / 2);
  const whole = new Uint8Array(fields.length + tail.length);
  whole.set(fields);
  whole.set(tail, fields.length);
  return { fields: whole, recovery };
}

/**
 * What a raw transaction of type 0, 1, 2 or 4 has signed, without decoding the rest of it.
 *
 * @returns `undefined` for anything unusual: then the full decoder has the word.
 */
export function signedMessage(raw: Uint8Array): SignedMessage | undefined {
  const type = (raw[0] ?? 0) >= 0xc0 ? 0 : (raw[0] ?? 0);
  const count = UNSIGNED_FIELDS[type];
  const list = itemAt(raw, type === 0 ? 0 : 1);
  if (count === undefined || list === undefined || list.end !== raw.length || list.end - list.start >= 0x100_0000) return undefined;
  let at = list.start;
  for (let i = 0; i < count; i += 1) {
    const item = itemAt(raw, at);
    if (item === undefined) return undefined;
    at = item.end;
  }
  const end = at;
  const parts: Uint8Array[] = [];
  for (let i = 0; i < 3; i += 1) {
    const item = itemAt(raw, at);
    if (item === undefined || (raw[at] ?? 0) >= 0xc0) return undefined;
    parts.push(raw.subarray(item.start, item.end));
    at = item.end;
  }
  const [v, r, s] = parts as [Uint8Array, Uint8Array, Uint8Array];
  const message = at === raw.length ? unsigned(type, raw.subarray(list.start, end), v) : undefined;
  if (message === undefined || r.length > 32 || s.length > 32 || r.length === 0 || s.length === 0) return undefined;
  const signature = new Uint8Array(64);
  signature.set(r, 32 - r.length);
  signature.set(s, 64 - s.length);
  if (Buffer.compare(signature.subarray(32), HALF_ORDER) > 0) return undefined;
  return { hash: keccak(signedBytes(type, message.fields)), signature, recovery: message.recovery };
}
