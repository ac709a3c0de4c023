import { z } from 'zod';
import { hexAddress, hexBloom, hexBytes, hexHash, hexQuantity } from './scalar.ts';

/** A log with its place; `removed` when a reorg took it back. */
export const logResult = z
  .strictObject({
    address: hexAddress,
    topics: z.array(hexHash).max(4),
    data: hexBytes,
    blockNumber: hexQuantity,
    transactionHash: hexHash,
    transactionIndex: hexQuantity,
    blockHash: hexHash,
    blockTimestamp: hexQuantity,
    logIndex: hexQuantity,
    removed: z.boolean(),
  })
  .meta({ title: 'log' });

/** The fields of a receipt; a system transaction's has the nonce under a name for each type (protocol section 3.1). */
export const receiptFields = {
  type: hexQuantity,
  status: z.enum(['0x0', '0x1']).optional(),
  root: hexHash.optional(),
  transactionHash: hexHash,
  transactionIndex: hexQuantity,
  blockHash: hexHash,
  blockNumber: hexQuantity,
  from: hexAddress,
  to: hexAddress.nullable(),
  contractAddress: hexAddress.nullable(),
  cumulativeGasUsed: hexQuantity,
  gasUsed: hexQuantity,
  effectiveGasPrice: hexQuantity,
  logs: z.array(logResult),
  logsBloom: hexBloom,
  blobGasUsed: hexQuantity.optional(),
  blobGasPrice: hexQuantity.optional(),
  btcAttributesDepositedNonce: hexQuantity.optional(),
  popPayoutNonce: hexQuantity.optional(),
  depositNonce: hexQuantity.optional(),
};

/** A receipt. */
export const receiptResult = z
  .strictObject(receiptFields)
  .refine((one) => (one.status === undefined) !== (one.root === undefined), 'has a status or a root')
  .meta({ title: 'receipt' });
