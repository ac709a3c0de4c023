import { fromDisplay, sha256d, toDisplay } from './bitcoin-hash.ts';
import { concat, fromBigEndian, fromHex, toBigEndian, toDigits } from './bytes.ts';
import { fail } from './errors.ts';

/** A keystone in full (protocol section 6). Hashes are L2 hashes, 32 bytes. */
export interface Keystone {
  version: 1;
  /** Height of the Bitcoin light tip of block N. */
  l1BlockNumber: number;
  l2BlockNumber: number;
  /** Hash of block N − 1. */
  parentHash: Uint8Array;
  /** Hash of block N − period; zeros for the first keystone. */
  previousKeystoneHash: Uint8Array;
  stateRoot: Uint8Array;
  /** Hash of block N. */
  blockHash: Uint8Array;
}

/** What goes into Bitcoin: hashes are cut to 11, 12, 32 and 12 bytes. */
export interface AbbreviatedKeystone {
  version: 1;
  l1BlockNumber: number;
  l2BlockNumber: number;
  parentHash: Uint8Array;
  previousKeystoneHash: Uint8Array;
  stateRoot: Uint8Array;
  blockHash: Uint8Array;
}

/** The JSON form on every API: hashes are hex without 0x. */
export interface KeystoneJson {
  version: number;
  l1_block_number: number;
  l2_block_number: number;
  parent_ep_hash: string;
  prev_ep_keystone_hash: string;
  state_root: string;
  ep_hash: string;
}

/** Bytes of an abbreviated keystone. */
export const KEYSTONE_SIZE = 76;

/** The abbreviation of a keystone. */
export function abbreviate(keystone: Keystone): AbbreviatedKeystone {
  return {
    ...keystone,
    parentHash: keystone.parentHash.slice(0, 11),
    previousKeystoneHash: keystone.previousKeystoneHash.slice(0, 12),
    blockHash: keystone.blockHash.slice(0, 12),
  };
}

/** The 76 bytes, integers big-endian. */
export function encodeAbbreviated(keystone: AbbreviatedKeystone): Uint8Array {
  return concat(
    Uint8Array.of(keystone.version),
    toBigEndian(keystone.l1BlockNumber, 4),
    toBigEndian(keystone.l2BlockNumber, 4),
    keystone.parentHash,
    keystone.previousKeystoneHash,
    keystone.stateRoot,
    keystone.blockHash,
  );
}

/** @throws `protocol/encoding` unless the length is 76 and the version 1. */
export function decodeAbbreviated(bytes: Uint8Array): AbbreviatedKeystone {
  if (bytes.length !== KEYSTONE_SIZE) {
    throw fail('protocol/encoding', `an abbreviated keystone has ${KEYSTONE_SIZE} bytes, not ${bytes.length}`);
  }
  if (bytes[0] !== 1) throw fail('protocol/encoding', `keystone version ${bytes[0]} is unknown, only 1 is`);
  return {
    version: 1,
    l1BlockNumber: Number(fromBigEndian(bytes.subarray(1, 5))),
    l2BlockNumber: Number(fromBigEndian(bytes.subarray(5, 9))),
    parentHash: bytes.slice(9, 20),
    previousKeystoneHash: bytes.slice(20, 32),
    stateRoot: bytes.slice(32, 64),
    blockHash: bytes.slice(64, 76),
  };
}

/** A keystone's identity: sha256d of the 76 bytes, internal order. */
export function hashAbbreviated(keystone: AbbreviatedKeystone): Uint8Array {
  return sha256d(encodeAbbreviated(keystone));
}

/** The identity of a full keystone, internal order. */
export function hashKeystone(keystone: Keystone): Uint8Array {
  return hashAbbreviated(abbreviate(keystone));
}

/** The identity as APIs write it: display order, without 0x. */
export const toKeystoneId: (hash: Uint8Array) => string = toDisplay;
/** The identity from an API; @throws `protocol/encoding` unless 32 bytes of hex. */
export const fromKeystoneId: (text: string) => Uint8Array = fromDisplay;

/** The JSON form. */
export function toKeystoneJson(keystone: Keystone): KeystoneJson {
  return {
    version: keystone.version,
    l1_block_number: keystone.l1BlockNumber,
    l2_block_number: keystone.l2BlockNumber,
    parent_ep_hash: toDigits(keystone.parentHash),
    prev_ep_keystone_hash: toDigits(keystone.previousKeystoneHash),
    state_root: toDigits(keystone.stateRoot),
    ep_hash: toDigits(keystone.blockHash),
  };
}

function hashFromJson(text: unknown): Uint8Array {
  if (text === null || text === undefined || text === '') return new Uint8Array(32);
  const bytes = fromHex(String(text));
  if (bytes.length > 32) throw fail('protocol/encoding', 'a keystone hash is longer than 32 bytes');
  return concat(bytes, new Uint8Array(32 - bytes.length));
}

function numberFromJson(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 0xffffffff) {
    throw fail('protocol/encoding', 'a keystone number is not an unsigned 32-bit integer');
  }
  return value;
}

/**
 * A keystone from JSON: 0x prefixes are tolerated, missing or short hashes are zero-padded on the right, as the
 * public network does.
 *
 * @throws `protocol/encoding`
 */
export function fromKeystoneJson(json: unknown): Keystone {
  if (typeof json !== 'object' || json === null) throw fail('protocol/encoding', 'a keystone is a JSON object');
  const fields = json as Partial<Record<keyof KeystoneJson, unknown>>;
  if (fields.version !== 1) throw fail('protocol/encoding', `keystone version ${String(fields.version)} is unknown, only 1 is`);
  return {
    version: 1,
    l1BlockNumber: numberFromJson(fields.l1_block_number),
    l2BlockNumber: numberFromJson(fields.l2_block_number),
    parentHash: hashFromJson(fields.parent_ep_hash),
    previousKeystoneHash: hashFromJson(fields.prev_ep_keystone_hash),
    stateRoot: hashFromJson(fields.state_root),
    blockHash: hashFromJson(fields.ep_hash),
  };
}
