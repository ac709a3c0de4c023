import { Point } from '@noble/secp256k1';
import { fromHex } from './bytes.ts';
import { fail } from './errors.ts';

/**
 * Reads a key expression (BIP-380) as 33 compressed bytes; where `isXOnly`, 32 bytes of hex stand for the point with even y.
 * Throws `protocol/descriptor` saying what is wrong with it.
 */
export type KeyReader = (expression: string, options: { isXOnly: boolean }) => Uint8Array;

/** `[fingerprint/path]`, which says where a key comes from and changes nothing. */
const ORIGIN = /^\[[0-9a-fA-F]{8}(?:\/[0-9]{1,10}['h]?)*\]/;

/** A key expression without its origin. */
export const withoutOrigin = (expression: string): string => expression.replace(ORIGIN, '');

/** The point of a compressed key, which `text` names; @throws `protocol/descriptor` when there is none. */
export function toPoint(key: Uint8Array, text: string): Point {
  try {
    return Point.fromBytes(key);
  } catch (cause) {
    throw fail('protocol/descriptor', `"${text}" is no point on the curve: a key is mistyped`, { cause });
  }
}

/** What a {@link KeyReader} gives for hex, or `undefined` for anything else; `text` has no origin. */
export function readHexKey(text: string, { isXOnly }: { isXOnly: boolean }): Uint8Array | undefined {
  if (/^0[23][0-9a-fA-F]{64}$/.test(text)) return toPoint(fromHex(text), text).toBytes();
  return isXOnly && /^[0-9a-fA-F]{64}$/.test(text) ? toPoint(fromHex(`02${text}`), text).toBytes() : undefined;
}

/**
 * Reads keys of a chain spec: hex alone. Whoever knows an extended key knows all keys below it, and a spec is for everybody;
 * a program that checks proofs need not derive keys.
 */
export const readPublishedKey: KeyReader = (expression, options) => {
  const key = readHexKey(withoutOrigin(expression), options);
  if (key !== undefined) return key;
  const forms = `66 hex digits${options.isXOnly ? ' or 64 hex digits' : ''}`;
  const instead = "in place of an extended key write the vault's address";
  throw fail('protocol/descriptor', `"${expression}" is no public key that a chain spec can have: ${forms} can stand here, ${instead}`);
};
