import { z } from 'zod';
import { hexAddress, hexBytes, hexHash, hexQuantity, hexWord } from './scalar.ts';

/** The addresses and slots that a transaction declares (EIP-2930). */
export const accessList = z.array(z.strictObject({ address: hexAddress, storageKeys: z.array(hexWord) }).meta({ title: 'access list entry' }));

/** All types have these; a transaction that waits for a block has no place. */
const common = {
  blockHash: hexHash.nullable(),
  blockNumber: hexQuantity.nullable(),
  blockTimestamp: hexQuantity.nullable(),
  transactionIndex: hexQuantity.nullable(),
  hash: hexHash,
  from: hexAddress,
  to: hexAddress.nullable(),
  nonce: hexQuantity,
  gas: hexQuantity,
  gasPrice: hexQuantity,
  value: hexQuantity,
  input: hexBytes,
  v: hexQuantity,
  r: hexQuantity,
  s: hexQuantity,
};
const typed = { ...common, chainId: hexQuantity, yParity: hexQuantity, accessList };
const feeMarket = { ...typed, maxFeePerGas: hexQuantity, maxPriorityFeePerGas: hexQuantity };
const authorization = z
  .strictObject({ chainId: hexQuantity, address: hexAddress, nonce: hexQuantity, yParity: hexQuantity, r: hexQuantity, s: hexQuantity })
  .meta({ title: 'authorization' });

/** A transaction; 0x7c, 0x7d and 0x7e are those that the chain makes itself (protocol section 3.1), 0x7f those of a development chain. */
export const transactionResult = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('0x0'), ...common, chainId: hexQuantity.optional() }),
    z.strictObject({ type: z.literal('0x1'), ...typed }),
    z.strictObject({ type: z.literal('0x2'), ...feeMarket }),
    z.strictObject({ type: z.literal('0x3'), ...feeMarket, blobVersionedHashes: z.array(hexHash), maxFeePerBlobGas: hexQuantity }),
    z.strictObject({ type: z.literal('0x4'), ...feeMarket, authorizationList: z.array(authorization) }),
    z.strictObject({ type: z.enum(['0x7c', '0x7d', '0x7f']), ...common }),
    z.strictObject({ type: z.literal('0x7e'), ...common, sourceHash: hexHash, mint: hexQuantity.optional() }),
  ])
  .meta({ title: 'transaction' });
