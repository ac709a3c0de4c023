import { z } from 'zod';
import { blockName } from './place.ts';
import { bareHash, hexAddress, hexBytes, hexHash, hexQuantity, jsonCount } from './scalar.ts';

/** `hemi_getDeposit`. */
export const depositResult = z
  .strictObject({
    txid: bareHash,
    status: z.enum(['unknown', 'seen', 'refused', 'spend', 'confirming', 'due', 'credited', 'claimable', 'failed']),
    explanation: z.string(),
    bitcoin: z.strictObject({ height: jsonCount, blockHash: bareHash, confirmations: jsonCount }).nullable(),
    dueAtBitcoinHeight: jsonCount.nullable(),
    confirmationsLeft: jsonCount.nullable(),
    deposit: z.strictObject({ sats: hexQuantity, recipient: hexAddress, payload: hexBytes, vout: jsonCount }).nullable(),
    block: blockName.nullable(),
    transactionHash: hexHash.nullable(),
  })
  .meta({ title: 'deposit' });

/** `hemi_getWithdrawal`. */
export const withdrawalResult = z
  .strictObject({
    id: hexQuantity,
    status: z.enum(['requested', 'finalized', 'settled']),
    explanation: z.string(),
    sats: hexQuantity,
    feeSats: hexQuantity,
    paysSats: hexQuantity,
    script: hexBytes,
    address: z.string().nullable(),
    block: blockName.nullable(),
    paidBefore: hexQuantity,
    bitcoinTxid: bareHash.nullable(),
  })
  .meta({ title: 'withdrawal to Bitcoin' });

/** `hemi_getReserves`. */
export const reservesResult = z
  .strictObject({
    creditedSats: hexQuantity,
    requestedSats: hexQuantity,
    settledSats: hexQuantity,
    requests: hexQuantity,
    reserveSats: hexQuantity,
    liabilitySats: hexQuantity,
    deficitSats: hexQuantity,
    vaults: z.array(z.strictObject({ address: z.string().nullable(), sats: hexQuantity }).meta({ title: 'vault' })),
    alarms: z.array(z.string()),
  })
  .meta({ title: 'reserves' });
