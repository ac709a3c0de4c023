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
  write(value: T): Uint8Array;
  read(bytes: Uint8Array): T;
}

/** `size` raw bytes. */
export function fixed(size: number): Field<Uint8Array> {
  return {
    size,
    write(value) {
      if (value.length !== size) throw fail('store/corrupt', `expected ${size} bytes, got ${value.length}`);
      return value;
    },
    read: (bytes) => bytes,
  };
}

/** A 32-byte hash. */
export const hash: Field<Uint8Array> = fixed(32);

/** Unsigned 32-bit number, big-endian (so that keys sort). */
export const u32: Field<number> = {
  size: 4,
  write: (value) => Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value),
  read: (bytes) => new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0),
};

/** Unsigned 64-bit bigint, big-endian. */
export const u64: Field<bigint> = {
  size: 8,
  write(value) {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, value);
    return bytes;
  },
  read: (bytes) => new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0),
};

/** Unsigned 256-bit bigint, big-endian. */
export const u256: Field<bigint> = {
  size: 32,
  write: (value) => Uint8Array.from(Buffer.from(value.toString(16).padStart(64, '0'), 'hex')),
  read: (bytes) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`),
};

/** All bytes that are left; only as the last field. */
export const rest: Field<Uint8Array> = {
  size: undefined,
  write: (value) => value,
  read: (bytes) => bytes,
};

/** A single field as a codec. */
export function only<T>(field: Field<T>): Codec<T> {
  return {
    encode: (value) => field.write(value),
    decode(bytes) {
      if (field.size !== undefined && bytes.length !== field.size) {
        throw fail('store/corrupt', `a row has ${bytes.length} bytes instead of ${field.size}`);
      }
      return field.read(bytes);
    },
  };
}

/** Named fields one behind the other, in the order written. */
export function record<T extends object>(fields: { [K in keyof T]: Field<T[K]> }): Codec<T> {
  const entries = Object.entries(fields) as [keyof T, Field<unknown>][];
  return {
    encode(value) {
      const parts = entries.map(([name, field]) => field.write(value[name]));
      const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
      let offset = 0;
      for (const part of parts) {
        bytes.set(part, offset);
        offset += part.length;
      }
      return bytes;
    },
    decode(bytes) {
      const value = {} as Record<keyof T, unknown>;
      let offset = 0;
      for (const [name, field] of entries) {
        const end = field.size === undefined ? bytes.length : offset + field.size;
        if (end > bytes.length) throw fail('store/corrupt', `a row ends before its field ${String(name)}`);
        value[name] = field.read(bytes.subarray(offset, end));
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
