import { z } from 'zod';

/* The scalars of answers, as they stand on the wire. The title is what the documentation calls a schema. */

const hex = (digits: string, title: string) =>
  z
    .string()
    .regex(new RegExp(`^0x${digits}$`), `must be ${title} in hex`)
    .meta({ title });
const bytesOf = (size: number, title: string) => hex(`[0-9a-f]{${size * 2}}`, title);

/** An unsigned integer, without leading zeros. */
export const hexQuantity = hex('(0|[1-9a-f][0-9a-f]{0,63})', 'quantity');
/** Any number of bytes. */
export const hexBytes = hex('([0-9a-f]{2})*', 'bytes');
/** 32 bytes. */
export const hexHash = bytesOf(32, 'hash');
/** 32 bytes of storage. */
export const hexWord = bytesOf(32, 'word');
/** 20 bytes. */
export const hexAddress = bytesOf(20, 'address');
/** 256 bytes. */
export const hexBloom = bytesOf(256, 'bloom');
/** 8 bytes. */
export const hexNonce = bytesOf(8, 'eight bytes');
/** A count as a JSON number. */
export const jsonCount = z.int().min(0).meta({ title: 'count' });
/** 32 bytes as Bitcoin and keystones write them: without 0x. */
export const bareHash = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits')
  .meta({ title: 'bare hash' });
/** r ‖ s ‖ v. */
export const hexSignature = bytesOf(65, 'signature');
