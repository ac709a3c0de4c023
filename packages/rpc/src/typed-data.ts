import { concat, fromHex, toBigEndian } from '@hemid/protocol';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { z } from 'zod';
import { fail } from './errors.ts';

const field = z.object({ name: z.string(), type: z.string() });
const typedDataObject = z.object({
  types: z.record(z.string(), z.array(field)),
  primaryType: z.string(),
  domain: z.record(z.string(), z.unknown()),
  message: z.record(z.string(), z.unknown()),
});

type Types = z.output<typeof typedDataObject>['types'];
type Values = Record<string, unknown>;

/** Typed data of EIP-712, as an object or, as some wallets send it, as its JSON. */
export const typedData = z.union([typedDataObject, z.string().transform((text, context) => readJson(text, context))], 'must be typed data (EIP-712)');
export type TypedData = z.output<typeof typedDataObject>;

function readJson(text: string, context: z.RefinementCtx): TypedData {
  try {
    return typedDataObject.parse(JSON.parse(text));
  } catch {
    context.addIssue({ code: 'custom', message: 'must be typed data (EIP-712) or its JSON' });
    return z.NEVER;
  }
}

const DOMAIN_FIELDS = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
  { name: 'salt', type: 'bytes32' },
];
const WORD = 32;

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const refuse = (type: string, value: unknown): Error =>
  fail('rpc/invalid-params', `${JSON.stringify(value) ?? 'nothing'} is not a value of type ${type}`);
const baseOf = (type: string): string => type.replace(/(\[\d*\])+$/, '');

/** The types that a struct uses, itself first, the others by name. */
function usedBy(types: Types, name: string): string[] {
  const found = new Set<string>();
  const visit = (one: string): void => {
    if (found.has(one) || types[one] === undefined) return;
    found.add(one);
    for (const { type } of types[one]) visit(baseOf(type));
  };
  visit(name);
  found.delete(name);
  return [name, ...[...found].sort()];
}

function typeHash(types: Types, name: string): Uint8Array {
  const text = usedBy(types, name).map((one) => `${one}(${(types[one] ?? []).map(({ type, name: of }) => `${type} ${of}`).join(',')})`);
  return keccak_256(utf8(text.join('')));
}

function toBytes(type: string, value: unknown): Uint8Array {
  if (typeof value === 'string' && /^0x([0-9a-fA-F]{2})*$/.test(value)) return fromHex(value);
  throw refuse(type, value);
}

function toInteger(type: string, value: unknown): bigint {
  const bits = BigInt(/\d+$/.exec(type)?.[0] ?? 256);
  const isSigned = type.startsWith('int');
  let number: bigint;
  try {
    number = BigInt(value as string | number);
  } catch {
    throw refuse(type, value);
  }
  const most = isSigned ? 1n << (bits - 1n) : 1n << bits;
  if (number >= most || number < (isSigned ? -most : 0n)) throw refuse(type, value);
  return BigInt.asUintN(256, number);
}

/** A value of a type that is no struct and no list, one word. */
function encodeAtom(type: string, value: unknown): Uint8Array {
  if (type === 'string' && typeof value === 'string') return keccak_256(utf8(value));
  if (type === 'bytes') return keccak_256(toBytes(type, value));
  if (type === 'bool' && typeof value === 'boolean') return toBigEndian(value ? 1 : 0, WORD);
  if (/^u?int(\d+)?$/.test(type)) return toBigEndian(toInteger(type, value), WORD);
  const size = type === 'address' ? 20 : Number(/^bytes(\d+)$/.exec(type)?.[1] ?? 0);
  const bytes = size > 0 && size <= WORD ? toBytes(type, value) : new Uint8Array();
  if (size === 0 || bytes.length !== size) throw refuse(type, value);
  const filling = new Uint8Array(WORD - size);
  return type === 'address' ? concat(filling, bytes) : concat(bytes, filling);
}

function encodeValue(types: Types, type: string, value: unknown): Uint8Array {
  const list = /^(.*)\[(\d*)\]$/.exec(type);
  if (list !== null) {
    const [, of = '', length = ''] = list;
    if (!Array.isArray(value) || (length !== '' && value.length !== Number(length))) throw refuse(type, value);
    return keccak_256(concat(...value.map((one) => encodeValue(types, of, one))));
  }
  if (types[type] === undefined) return encodeAtom(type, value);
  if (value === undefined || value === null) return new Uint8Array(WORD);
  if (typeof value !== 'object') throw refuse(type, value);
  return hashStruct(types, type, value as Values);
}

function hashStruct(types: Types, name: string, values: Values): Uint8Array {
  const words = (types[name] ?? []).map(({ type, name: of }) => encodeValue(types, type, values[of]));
  return keccak_256(concat(typeHash(types, name), ...words));
}

/** What is signed of typed data (EIP-712), 32 bytes. @throws `rpc/invalid-params` for values that are not of their type. */
export function hashTypedData({ types, primaryType, domain, message }: TypedData): Uint8Array {
  const all: Types = { EIP712Domain: DOMAIN_FIELDS.filter(({ name }) => domain[name] !== undefined), ...types };
  if (all[primaryType] === undefined) throw fail('rpc/invalid-params', `there is no type ${primaryType}`);
  const separator = hashStruct(all, 'EIP712Domain', domain);
  const body = primaryType === 'EIP712Domain' ? new Uint8Array() : hashStruct(all, primaryType, message);
  return keccak_256(concat(Uint8Array.of(0x19, 0x01), separator, body));
}

/** What is signed of a message (EIP-191), 32 bytes. */
export function hashMessage(message: Uint8Array): Uint8Array {
  return keccak_256(concat(utf8(`\x19Ethereum Signed Message:\n${message.length}`), message));
}
