import { z } from 'zod';
import { bareHash, hexAddress, hexBytes, hexQuantity, jsonCount } from './scalar.ts';

const output = z
  .strictObject({ vout: jsonCount, sats: hexQuantity, script: hexBytes, address: z.string().nullable(), spentAtBitcoinHeight: jsonCount.nullable() })
  .meta({ title: 'vault output' });

const payment = z
  .strictObject({
    txid: bareHash,
    status: z.enum(['refused', 'failed', 'part']),
    explanation: z.string(),
    sats: hexQuantity,
    outputs: z.array(output),
    sender: z.strictObject({ script: hexBytes, address: z.string().nullable() }).nullable(),
    recipient: hexAddress.nullable(),
    bitcoin: z.strictObject({ height: jsonCount, blockHash: bareHash, confirmations: jsonCount }),
  })
  .meta({ title: 'recoverable payment' });

/** `hemi_getRecoveryList`. */
export const recoveryListResult = z.strictObject({ payments: z.array(payment), next: jsonCount.nullable() }).meta({ title: 'recovery list' });
