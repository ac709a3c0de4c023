import { z } from 'zod';
import { bodyFields, headerFields } from './block.ts';
import { receiptFields } from './receipt.ts';
import { hexAddress, hexBytes, hexHash, hexQuantity, jsonCount } from './scalar.ts';
import { transactionResult } from './transaction.ts';

/** `ots_getInternalOperations`: 0 moves coins, 1 ends a contract, 2 and 3 make one. */
export const operationsResult = z.array(
  z
    .strictObject({ type: z.int().min(0).max(3), from: hexAddress, to: hexAddress.optional(), value: hexQuantity })
    .meta({ title: 'internal operation' }),
);

/** `ots_traceTransaction`. */
export const callsResult = z.array(
  z
    .strictObject({
      type: z.string(),
      depth: jsonCount,
      from: hexAddress,
      to: hexAddress.optional(),
      value: hexQuantity.nullable(),
      input: hexBytes,
      output: hexBytes,
    })
    .meta({ title: 'call with its depth' }),
);

const { transactions: _, ...bodyless } = { ...headerFields, ...bodyFields };

/** `ots_getBlockDetails`; amounts are wei. */
export const blockDetailsResult = z
  .strictObject({
    block: z.strictObject({ ...bodyless, logsBloom: z.null(), transactionCount: jsonCount }),
    issuance: z.strictObject({ blockReward: hexQuantity, uncleReward: hexQuantity, issuance: hexQuantity }),
    totalFees: hexQuantity,
  })
  .meta({ title: 'block details' });

/** `ots_getBlockTransactions`. */
export const blockPageResult = z
  .strictObject({
    fullblock: z.strictObject({ ...bodyless, transactions: z.array(transactionResult), transactionCount: jsonCount }),
    receipts: z.array(z.strictObject({ ...receiptFields, logs: z.null(), logsBloom: z.null() })),
  })
  .meta({ title: 'page of a block' });

/** `ots_searchTransactionsBefore` and `ots_searchTransactionsAfter`. */
export const searchResult = z
  .strictObject({
    txs: z.array(transactionResult),
    receipts: z.array(z.strictObject({ ...receiptFields, timestamp: jsonCount })),
    firstPage: z.boolean(),
    lastPage: z.boolean(),
  })
  .meta({ title: 'page of a search' });

/** `ots_getContractCreator`. */
export const creatorResult = z.strictObject({ hash: hexHash, creator: hexAddress }).meta({ title: 'creator' });
