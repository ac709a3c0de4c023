import { toHex } from '@hemid/protocol';

/** What JSON can carry. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/**
 * A value of the domain as JSON, the only place that writes hex: bigint is a quantity (`0x1f`), bytes are data with
 * 0x; number, string and boolean stay; fields that are `undefined` are left out, `undefined` itself is null.
 */
export function toWire(value: unknown): Json {
  if (value === undefined || value === null) return null;
  if (typeof value === 'bigint') return `0x${value.toString(16)}`;
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(toWire);
  if (typeof value === 'object') {
    const entries = Object.entries(value).filter(([, field]) => field !== undefined);
    return Object.fromEntries(entries.map(([name, field]) => [name, toWire(field)]));
  }
  return value as boolean | number | string;
}
