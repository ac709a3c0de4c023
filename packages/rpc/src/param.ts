import { fromHex } from '@hemid/protocol';
import { z } from 'zod';

const QUANTITY = /^0x(0|[1-9a-fA-F][0-9a-fA-F]*)$/;
const DATA = /^0x([0-9a-fA-F]{2})*$/;

const bytesOf = (size: number, what: string) =>
  z
    .string(`must be ${what} as a hex string`)
    .regex(new RegExp(`^0x[0-9a-fA-F]{${size * 2}}$`), `must be ${what}: 0x and ${size * 2} hex digits`)
    .transform(fromHex);

/** An unsigned integer of at most 256 bits: hex without leading zeros, e.g. `0x1f`. */
export const quantity = z
  .string('must be a hex quantity such as "0x1f"')
  .regex(QUANTITY, 'must be a hex quantity such as "0x1f", without leading zeros')
  .max(66, 'must have at most 256 bits')
  .transform(BigInt);

/** A small count, as a JSON number or as a hex quantity. */
export const count = z.union(
  [z.int().min(0), z.string().regex(QUANTITY).max(15).transform(Number)],
  'must be a count: a number, or a hex quantity such as "0xa"',
);

/** Bytes as hex with 0x. */
export const data = z
  .string('must be hex data such as "0x00ff"')
  .regex(DATA, 'must be hex data with 0x and an even number of digits')
  .transform(fromHex);

/** 20 bytes. */
export const address = bytesOf(20, 'an address');

/** 32 bytes. */
export const hash = bytesOf(32, 'a 32-byte hash');

const slotText = z
  .string('must be a storage slot as a hex string')
  .regex(/^0x[0-9a-fA-F]{1,64}$/, 'must be a storage slot: 0x and at most 64 hex digits');
const fill = (text: string): Uint8Array => fromHex(text.slice(2).padStart(64, '0'));

/** A storage slot as 32 bytes; shorter hex is filled on the left, as geth takes it. */
export const slot = slotText.transform(fill);

/** A slot that is proven, and how it is named in the answer. */
export interface ProofKey {
  slot: Uint8Array;
  /** As geth has it: 32 bytes stay so, anything shorter is a quantity. */
  key: Uint8Array | bigint;
}

/** A slot of `eth_getProof`. */
export const proofKey = slotText.transform((text): ProofKey => ({ slot: fill(text), key: text.length === 66 ? fill(text) : BigInt(text) }));

/** 32 bytes of hex, with or without 0x, as Bitcoin tools write hashes. */
export const displayHash = z.string('must be a hash as a hex string').regex(/^(0x)?[0-9a-fA-F]{64}$/, 'must be a hash of 64 hex digits');
