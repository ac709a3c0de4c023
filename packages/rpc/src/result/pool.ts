import { z } from 'zod';
import { hexQuantity } from './scalar.ts';
import { transactionResult } from './transaction.ts';

const byNonce = <S extends z.ZodType>(schema: S) => z.record(z.string().regex(/^\d+$/), schema);
/** Senders are written with the checksum of EIP-55. */
const bySender = <S extends z.ZodType>(schema: S) => z.record(z.string().regex(/^0x[0-9a-fA-F]{40}$/), byNonce(schema));

/** `txpool_status`. */
export const poolStatusResult = z.strictObject({ pending: hexQuantity, queued: hexQuantity });
/** `txpool_content`. */
export const poolContentResult = z.strictObject({ pending: bySender(transactionResult), queued: bySender(transactionResult) });
/** `txpool_contentFrom`. */
export const poolContentFromResult = z.strictObject({ pending: byNonce(transactionResult), queued: byNonce(transactionResult) });
/** `txpool_inspect`. */
export const poolLinesResult = z.strictObject({ pending: bySender(z.string()), queued: bySender(z.string()) });
