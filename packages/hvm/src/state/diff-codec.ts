import { RLP } from '@ethereumjs/rlp';
import { concat, encodeRlp, toMinimal } from '@hemid/protocol';
import { fromLatin, latin, type StateKey } from './key.ts';
import type { StateDiff } from './source.ts';

/** RLP of a block's changes, as they are kept for a block that is not canonical. */
export function encodeDiff(diff: StateDiff): Uint8Array {
  return encodeRlp([...diff].map(([key, value]) => (value === undefined ? [fromLatin(key)] : [fromLatin(key), value])));
}

/** The changes again. */
export function decodeDiff(bytes: Uint8Array): StateDiff {
  const items = RLP.decode(bytes) as [Uint8Array, Uint8Array?][];
  return new Map(items.map(([key, value]) => [latin(key), value]));
}

/** RLP of keys, each of 2 to 255 characters, without an array for each. */
export function encodeKeys(keys: Iterable<StateKey>): Uint8Array {
  const parts: string[] = [];
  for (const key of keys) parts.push(key.length <= 55 ? String.fromCharCode(0x80 + key.length) : `\xb8${String.fromCharCode(key.length)}`, key);
  const payload = fromLatin(parts.join(''));
  const { length } = payload;
  if (length <= 55) return concat(Uint8Array.of(0xc0 + length), payload);
  const size = toMinimal(length);
  return concat(Uint8Array.of(0xf7 + size.length), size, payload);
}

/** The keys again. */
export const decodeKeys = (bytes: Uint8Array): StateKey[] => (RLP.decode(bytes) as Uint8Array[]).map(latin);
