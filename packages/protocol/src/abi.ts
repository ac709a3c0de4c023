import { keccak_256 } from '@noble/hashes/sha3.js';
import { concat, equal, fromBigEndian, toBigEndian } from './bytes.ts';
import { fail } from './errors.ts';

/** The ABI types that system calldata uses. */
export type AbiType = 'uint' | 'address' | 'bytes32' | 'bytes' | 'bytes[]' | 'address[]' | 'uint[]';
/** uint: bigint; address: 20 bytes; bytes32: 32 bytes; bytes: any length. */
export type AbiValue = bigint | Uint8Array | bigint[] | Uint8Array[];

const isDynamic = (type: AbiType): boolean => type === 'bytes' || type.endsWith('[]');
const word = (value: bigint | number): Uint8Array => toBigEndian(value, 32);
const padRight = (bytes: Uint8Array): Uint8Array => concat(bytes, new Uint8Array((32 - (bytes.length % 32)) % 32));

function encodeOne(type: AbiType, value: AbiValue): Uint8Array {
  if (type === 'uint') return word(value as bigint);
  if (type === 'address') return concat(new Uint8Array(12), value as Uint8Array);
  if (type === 'bytes32') return value as Uint8Array;
  if (type === 'bytes') return concat(word((value as Uint8Array).length), padRight(value as Uint8Array));
  const items = value as AbiValue[];
  const item = type.slice(0, -2) as AbiType;
  return concat(
    word(items.length),
    encodeTuple(
      items.map(() => item),
      items,
    ),
  );
}

function encodeTuple(types: AbiType[], values: readonly AbiValue[]): Uint8Array {
  const bodies = types.map((type, i) => encodeOne(type, values[i] as AbiValue));
  const headSize = types.length * 32;
  let tailOffset = headSize;
  const heads: Uint8Array[] = [];
  const tails: Uint8Array[] = [];
  for (const [i, body] of bodies.entries()) {
    if (isDynamic(types[i] as AbiType)) {
      heads.push(word(tailOffset));
      tails.push(body);
      tailOffset += body.length;
    } else {
      heads.push(body);
    }
  }
  return concat(...heads, ...tails);
}

function decodeOne(type: AbiType, bytes: Uint8Array, offset: number): AbiValue {
  if (type === 'uint') return fromBigEndian(slice(bytes, offset, 32));
  if (type === 'address') return slice(bytes, offset + 12, 20);
  if (type === 'bytes32') return slice(bytes, offset, 32);
  const length = size(bytes, offset);
  if (type === 'bytes') return slice(bytes, offset + 32, length);
  if (length * 32 > bytes.length) throw fail('protocol/encoding', 'an ABI list is longer than its data');
  const item = type.slice(0, -2) as AbiType;
  const start = bytes.subarray(offset + 32);
  return decodeTuple(Array<AbiType>(length).fill(item), start) as bigint[] | Uint8Array[];
}

function decodeTuple(types: AbiType[], bytes: Uint8Array): AbiValue[] {
  return types.map((type, i) => decodeOne(type, bytes, isDynamic(type) ? size(bytes, i * 32) : i * 32));
}

function slice(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  if (offset + length > bytes.length) throw fail('protocol/encoding', 'ABI data ends too early');
  return bytes.slice(offset, offset + length);
}

/** A word used as an offset or a length. */
function size(bytes: Uint8Array, offset: number): number {
  const value = fromBigEndian(slice(bytes, offset, 32));
  if (value > BigInt(bytes.length)) throw fail('protocol/encoding', 'an ABI offset or length points outside its data');
  return Number(value);
}

/** Reads values as a function returns them. @throws `protocol/encoding` when the data ends too early. */
export function decodeAbi(types: AbiType[], data: Uint8Array): AbiValue[] {
  return decodeTuple(types, data);
}

/** A function's calldata codec. */
export interface AbiFunction {
  selector: Uint8Array;
  encode(values: readonly AbiValue[]): Uint8Array;
  /** @throws `protocol/encoding` unless the data is the one canonical encoding of its values. */
  decode(data: Uint8Array): AbiValue[];
}

/** The calldata codec of `signature`, whose parameters have these types (any width of uint is `uint`). */
export function abiFunction(signature: string, types: AbiType[]): AbiFunction {
  const selector = keccak_256(new TextEncoder().encode(signature)).slice(0, 4);
  const encode = (values: readonly AbiValue[]): Uint8Array => concat(selector, encodeTuple(types, values));
  return {
    selector,
    encode,
    decode(data) {
      if (!equal(data.subarray(0, 4), selector)) throw fail('protocol/encoding', `calldata is not ${signature}`);
      const values = decodeTuple(types, data.subarray(4));
      if (!equal(encode(values), data)) {
        throw fail('protocol/encoding', `calldata of ${signature} is not in its canonical form`);
      }
      return values;
    },
  };
}
