import { fromDisplay } from '@hemid/protocol';
import { z } from 'zod';

/** Fields as Go's JSON carries them: hashes in display order without 0x, bytes as hex, numbers as numbers. */

/** A Bitcoin hash, internal order. */
export const hash = z
  .string('must be a hash')
  .regex(/^[0-9a-fA-F]{64}$/, 'must be a hash of 64 hex digits')
  .transform(fromDisplay);

/** Bytes. */
export const bytes = z
  .string('must be hex')
  .regex(/^([0-9a-fA-F]{2})*$/, 'must be an even number of hex digits')
  .transform((digits) => Uint8Array.from(Buffer.from(digits, 'hex')));

/** An unsigned integer of 32 bits. */
export const uint32 = z.int('must be a whole number').min(0, 'must not be negative').max(0xffffffff, 'must have at most 32 bits');

/** A place in a list, or a number of entries: Go's `uint`, which clients set to 2^64 − 1 for "all". */
export const uint = z.number('must be a number').min(0, 'must not be negative').transform(Math.trunc);
