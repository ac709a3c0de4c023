import { fromDisplay, fromHex, type HemidError, isHemidError } from '@hemid/protocol';
import { fail } from '../errors.ts';
import { satsFromBtc } from '../rpc/bitcoin-amount.ts';

/** A parameter of a method: its name (positional calls use the order) and the JSON type Core asks for. */
export interface ParamSpec {
  name: string;
  type: 'string' | 'number' | 'bool' | 'array' | 'object' | 'any';
  optional?: true;
}

/** Core's JSON-RPC error codes (rpc/protocol.h). */
export const RpcCode = {
  MISC: -1,
  TYPE: -3,
  ADDRESS_OR_KEY: -5,
  PARAMETER: -8,
  DESERIALIZATION: -22,
  VERIFY: -25,
  REJECTED: -26,
  INTERNAL: -32603,
  METHOD_NOT_FOUND: -32601,
} as const;

/** An error in Core's words; the dispatcher adds the method's name. */
export function refuse(rpcCode: number, rpcMessage: string): HemidError {
  return fail('bitcoin/rpc', rpcMessage, { details: { rpcCode, rpcMessage } });
}

const jsonType = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
};

/** Checks number and types of a call's parameters; named ones (an object) are put in order. `null` is left out. */
export function readParams(method: string, specs: readonly ParamSpec[], params: unknown): unknown[] {
  const values = Array.isArray(params) ? params : inOrder(specs, params as Record<string, unknown>);
  const given = values.map((value) => (value === null ? undefined : value));
  const required = specs.filter(({ optional }) => optional === undefined).length;
  if (given.length > specs.length || given.length < required) throw refuse(RpcCode.MISC, usage(method, specs));
  const wrong: string[] = [];
  for (const [i, { name, type, optional }] of specs.entries()) {
    const value = given[i];
    if (type === 'any' || (value === undefined && optional === true) || jsonType(value ?? null) === type) continue;
    const actual = value === undefined ? 'null' : jsonType(value);
    wrong.push(`    "Position ${i + 1} (${name})": "JSON value of type ${actual} is not of expected type ${type}"`);
  }
  if (wrong.length > 0) throw refuse(RpcCode.TYPE, `Wrong type passed:\n{\n${wrong.join(',\n')}\n}`);
  return given;
}

function inOrder(specs: readonly ParamSpec[], named: Record<string, unknown>): unknown[] {
  const unknown = Object.keys(named).find((key) => specs.every(({ name }) => name !== key));
  if (unknown !== undefined) throw refuse(RpcCode.PARAMETER, `Unknown named parameter ${unknown}`);
  const values = specs.map(({ name }) => named[name]);
  return values.slice(0, values.findLastIndex((value) => value !== undefined) + 1);
}

function usage(method: string, specs: readonly ParamSpec[]): string {
  const word = ({ name, type }: ParamSpec): string => (type === 'string' ? `"${name}"` : name);
  const required = specs.filter(({ optional }) => optional === undefined).map(word);
  const optional = specs.filter((spec) => spec.optional === true).map(word);
  return [method, ...required, ...(optional.length === 0 ? [] : ['(', ...optional, ')'])].join(' ');
}

/** A block hash or txid in display order, internal order out. */
export function readHash(text: unknown, name: string): Uint8Array {
  const digits = String(text);
  if (digits.length !== 64) throw refuse(RpcCode.PARAMETER, `${name} must be of length 64 (not ${digits.length}, for '${digits}')`);
  try {
    return fromDisplay(digits);
  } catch (error) {
    if (!isHemidError(error)) throw error;
    throw refuse(RpcCode.PARAMETER, `${name} must be hexadecimal string (not '${digits}')`);
  }
}

/** Bytes from hex, or `undefined`. */
export function readHex(text: string): Uint8Array | undefined {
  return /^([0-9a-f]{2})+$/i.test(text) ? fromHex(text) : undefined;
}

/** A whole number that fits 32 bits. */
export function readInt(value: unknown): number {
  if (typeof value !== 'number') throw refuse(RpcCode.TYPE, `JSON value of type ${jsonType(value)} is not of expected type number`);
  if ((value | 0) !== value) throw refuse(RpcCode.MISC, 'JSON integer out of range');
  return value;
}

/** Text inside a list or object. */
export function readString(value: unknown): string {
  if (typeof value !== 'string') throw refuse(RpcCode.TYPE, `JSON value of type ${jsonType(value)} is not of expected type string`);
  return value;
}

/** An amount of Bitcoin in satoshis, from decimal BTC. */
export function readAmount(value: unknown): bigint {
  if (typeof value !== 'number' && typeof value !== 'string') throw refuse(RpcCode.TYPE, 'Amount is not a number or string');
  let sats: bigint;
  try {
    sats = satsFromBtc(value);
  } catch (error) {
    if (!isHemidError(error)) throw error;
    throw refuse(RpcCode.TYPE, 'Invalid amount');
  }
  if (sats < 0n) throw refuse(RpcCode.TYPE, 'Amount out of range');
  return sats;
}
