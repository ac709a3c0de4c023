import { z } from 'zod';
import { hexAddress, hexBytes, hexQuantity, jsonCount } from './scalar.ts';

const displayHash = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .meta({ title: 'Bitcoin hash' });

const output = z
  .strictObject({ vout: jsonCount, sats: hexQuantity, script: hexBytes, address: z.string().nullable(), spentAtBitcoinHeight: jsonCount.nullable() })
  .meta({ title: 'vault output' });

const payment = z
  .strictObject({
    txid: displayHash,
    status: z.enum(['refused', 'failed', 'part']),
    explanation: z.string(),
    sats: hexQuantity,
    outputs: z.array(output),
    sender: z.strictObject({ script: hexBytes, address: z.string().nullable() }).nullable(),
    recipient: hexAddress.nullable(),
    bitcoin: z.strictObject({ height: jsonCount, blockHash: displayHash, confirmations: jsonCount }),
  })
  .meta({ title: 'recoverable payment' });

/** `hemi_getRecoveryList`. */
export const recoveryListResult = z.strictObject({ payments: z.array(payment), next: jsonCount.nullable() }).meta({ title: 'recovery list' });
