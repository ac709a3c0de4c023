import { z } from 'zod';
import { hexAddress, hexBloom, hexBytes, hexHash, hexNonce, hexQuantity } from './scalar.ts';
import { transactionResult } from './transaction.ts';

/** The fields of a header; those that came with a fork of Ethereum are not in older blocks of other chains. */
export const headerFields = {
  number: hexQuantity,
  hash: hexHash,
  parentHash: hexHash,
  sha3Uncles: hexHash,
  miner: hexAddress,
  stateRoot: hexHash,
  transactionsRoot: hexHash,
  receiptsRoot: hexHash,
  logsBloom: hexBloom,
  difficulty: hexQuantity,
  gasLimit: hexQuantity,
  gasUsed: hexQuantity,
  timestamp: hexQuantity,
  extraData: hexBytes,
  mixHash: hexHash,
  nonce: hexNonce,
  baseFeePerGas: hexQuantity.optional(),
  withdrawalsRoot: hexHash.optional(),
  blobGasUsed: hexQuantity.optional(),
  excessBlobGas: hexQuantity.optional(),
  parentBeaconBlockRoot: hexHash.optional(),
  requestsHash: hexHash.optional(),
};

const withdrawal = z
  .strictObject({ index: hexQuantity, validatorIndex: hexQuantity, address: hexAddress, amount: hexQuantity })
  .meta({ title: 'withdrawal' });

/** What a block has besides its header. */
export const bodyFields = {
  size: hexQuantity,
  transactions: z.union([z.array(hexHash), z.array(transactionResult)]),
  uncles: z.array(hexHash),
  withdrawals: z.array(withdrawal).optional(),
};

/** A header. */
export const headerResult = z.strictObject(headerFields).meta({ title: 'header' });

/** A block with the hashes of its transactions, or with the transactions themselves. */
export const blockResult = z.strictObject({ ...headerFields, ...bodyFields }).meta({ title: 'block' });
