import { fail } from './errors.ts';

/** A value with one byte form. `decode` is exact: it takes all the bytes or throws `store/corrupt`. */
export interface Codec<T> {
  encode(value: T): Uint8Array;
  decode(bytes: Uint8Array): T;
  /** What `encode` gives, as latin1 text, for keys that are text already: it saves the way there and back. */
  latin?(value: T): string;
}

/** A field of a {@link record}: writes and reads a known number of bytes, or (`rest`) all that is left. */
export interface Field<T> {
  /** Bytes, or `undefined` for a last field that takes the rest. */
  size: number | undefined;
  /** The bytes of a value that stands alone. */
  encode(value: T): Uint8Array;
  /** Writes a value at an offset of a record. */
  put(value: T, target: Uint8Array, at: number): void;
  /** Reads the bytes [from, to). */
  read(bytes: Uint8Array, from: number, to: number): T;
}

/** Rows are cut from arrays of so many bytes; Node's own pool has smaller ones, of which there would be thousands a second. */
const POOL_BYTES = 1 << 16;
let room = new ArrayBuffer(0);
let used = 0;

/** Room for a row, with whatever bytes lie there: rows are many and small, and an array of its own above 64 bytes takes ten times as long. */
export function allocate(size: number): Uint8Array {
  if (size > POOL_BYTES / 8) return new Uint8Array(size);
  if (used + size > room.byteLength) {
    room = Buffer.allocUnsafeSlow(POOL_BYTES).buffer as ArrayBuffer;
    used = 0;
  }
  const bytes = new Uint8Array(room, used, size);
  used = (used + size + 7) & ~7;
  return bytes;
}

const part = (bytes: Uint8Array, from: number, to: number): Uint8Array => (from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to));

/** `size` raw bytes. */
export function fixed(size: number): Field<Uint8Array> {
  function assertSize({ length }: Uint8Array): void {
    if (length !== size) throw fail('store/corrupt', `expected ${size} bytes, got ${length}`);
  }
  return {
    size,
    encode(value) {
      assertSize(value);
      return value;
    },
    put(value, target, at) {
      assertSize(value);
      target.set(value, at);
    },
    read: part,
  };
}

/** A number of known size. */
function numeric<T>(size: number, put: Field<T>['put'], read: (bytes: Uint8Array, from: number) => T): Field<T> {
  return {
    size,
    encode(value) {
      const bytes = allocate(size);
      put(value, bytes, 0);
      return bytes;
    },
    put,
    read,
  };
}

/** A 32-byte hash. */
export const hash: Field<Uint8Array> = fixed(32);

function putU32(value: number, target: Uint8Array, at: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}

function readU32(bytes: Uint8Array, from: number): number {
  const high = (bytes[from] as number) * 0x1000000;
  return high + (((bytes[from + 1] as number) << 16) | ((bytes[from + 2] as number) << 8) | (bytes[from + 3] as number));
}

/** Unsigned 32-bit number, big-endian (so that keys sort). */
export const u32: Field<number> = numeric(4, putU32, readU32);

/** Unsigned 64-bit bigint, big-endian. */
export const u64: Field<bigint> = numeric(
  8,
  (value, target, at) => {
    putU32(Number((value >> 32n) & 0xffffffffn), target, at);
    putU32(Number(value & 0xffffffffn), target, at + 4);
  },
  (bytes, from) => (BigInt(readU32(bytes, from)) << 32n) | BigInt(readU32(bytes, from + 4)),
);

/** Unsigned 256-bit bigint, big-endian. */
export const u256: Field<bigint> = numeric(
  32,
  (value, target, at) => target.set(Buffer.from(value.toString(16).padStart(64, '0'), 'hex'), at),
  (bytes, from) => BigInt(`0x${Buffer.from(bytes.subarray(from, from + 32)).toString('hex')}`),
);

/** All bytes that are left; only as the last field. */
export const rest: Field<Uint8Array> = {
  size: undefined,
  encode: (value) => value,
  put: (value, target, at) => target.set(value, at),
  read: part,
};

/** A single field as a codec. */
export function only<T>(field: Field<T>): Codec<T> {
  return {
    encode: (value) => field.encode(value),
    decode(bytes) {
      if (field.size !== undefined && bytes.length !== field.size) {
        throw fail('store/corrupt', `a row has ${bytes.length} bytes instead of ${field.size}`);
      }
      return field.read(bytes, 0, bytes.length);
    },
  };
}

/** Named fields one behind the other, in the order written. */
export function record<T extends object>(fields: { [K in keyof T]: Field<T[K]> }): Codec<T> {
  const entries = Object.entries(fields) as [keyof T, Field<unknown>][];
  const fixedSize = entries.reduce((sum, [, { size }]) => sum + (size ?? 0), 0);
  const open = entries.find(([, { size }]) => size === undefined)?.[0];
  const sizeOf = (value: T): number => (open === undefined ? fixedSize : fixedSize + (value[open] as Uint8Array).length);
  return {
    encode(value) {
      const bytes = allocate(sizeOf(value));
      let offset = 0;
      for (const [name, field] of entries) {
        field.put(value[name], bytes, offset);
        offset += field.size ?? 0;
      }
      return bytes;
    },
    decode(bytes) {
      const value = {} as Record<keyof T, unknown>;
      let offset = 0;
      for (const [name, field] of entries) {
        const end = field.size === undefined ? bytes.length : offset + field.size;
        if (end > bytes.length) throw fail('store/corrupt', `a row ends before its field ${String(name)}`);
        value[name] = field.read(bytes, offset, end);
        offset = end;
      }
      if (offset !== bytes.length) throw fail('store/corrupt', 'a row has trailing bytes');
      return value as T;
    },
  };
}

/** Text as ASCII, for the names of single rows. */
export const text: Codec<string> = {
  encode: (value) => new TextEncoder().encode(value),
  decode: (bytes) => new TextDecoder().decode(bytes),
};
