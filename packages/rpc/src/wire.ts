import { toHex } from '@hemid/protocol';
import { toOneString, type WireText } from './wire-text.ts';

/** What JSON can carry. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const TEXT = Symbol('json text');

/** A value that was made JSON before: its text goes into answers as it is. */
export interface JsonText {
  readonly [TEXT]: WireText;
}

/** Holds JSON text, which must be valid, as a value of the domain. */
export const jsonText = (text: WireText): JsonText => ({ [TEXT]: text });

const isJsonText = (value: unknown): value is JsonText => typeof value === 'object' && value !== null && TEXT in value;

/**
 * A value of the domain as JSON text, the only place that writes hex: bigint is a quantity (`0x1f`), bytes are data with
 * 0x; number, string and boolean stay; fields that are `undefined` are left out, `undefined` itself is null; a
 * {@link JsonText} is put in as it is.
 */
export function toText(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'bigint') return `"0x${value.toString(16)}"`;
  if (typeof value !== 'object') return JSON.stringify(value);
  if (value instanceof Uint8Array) return `"${toHex(value)}"`;
  if (Array.isArray(value)) return `[${value.map(toText).join(',')}]`;
  if (isJsonText(value)) return toOneString(value[TEXT]);
  let fields = '';
  for (const [name, field] of Object.entries(value)) {
    if (field !== undefined) fields += `${fields === '' ? '' : ','}${JSON.stringify(name)}:${toText(field)}`;
  }
  return `{${fields}}`;
}

/** The same as {@link toText}, for what is sent: a {@link JsonText} is not copied. */
export const toWireText = (value: unknown): WireText => (isJsonText(value) ? value[TEXT] : toText(value));

/** The same as {@link toText}, for those who want the JSON and not its text. */
export const toWire = (value: unknown): Json => JSON.parse(toText(value)) as Json;
