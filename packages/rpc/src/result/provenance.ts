import { z } from 'zod';
import { bareHash, hexAddress, hexBytes, hexHash, jsonCount } from './scalar.ts';

const seconds = jsonCount;
const bitcoinPlace = { height: jsonCount, blockHash: bareHash, time: seconds, confirmations: z.int() };
const withdrawal = z
  .strictObject({ id: jsonCount, sats: jsonCount, feeSats: jsonCount, script: hexBytes, address: z.string() })
  .meta({ title: 'withdrawal link' });

/** An L2 block, a transaction of it, and the anchor above it. */
const anchored = {
  block: z.strictObject({ number: jsonCount, hash: hexHash, time: seconds, bitcoinTip: bareHash }).meta({ title: 'block link' }).optional(),
  transaction: z
    .strictObject({ hash: hexHash, index: jsonCount, succeeded: z.boolean(), requests: z.array(withdrawal).optional() })
    .meta({ title: 'transaction link' })
    .optional(),
  keystone: z
    .strictObject({ number: jsonCount, hash: hexHash, id: bareHash, time: seconds, sealedBy: hexAddress })
    .meta({ title: 'keystone link' })
    .optional(),
  anchor: z
    .strictObject({ txid: bareHash, ...bitcoinPlace })
    .meta({ title: 'anchor link' })
    .optional(),
};

/** `hemi_getProvenance`: the links that stand, and the proof, whose form docs/provenance.md describes. */
export const provenanceResult = z
  .strictObject({
    subject: z.strictObject({ kind: z.enum(['deposit', 'withdrawal', 'transaction', 'block']), id: z.string() }),
    ...anchored,
    lock: z
      .strictObject({
        txid: bareHash,
        vout: jsonCount,
        sats: jsonCount,
        recipient: hexAddress,
        credit: z.enum(['paid', 'claimable']).optional(),
        ...bitcoinPlace,
      })
      .meta({ title: 'lock link' })
      .optional(),
    withdrawal: withdrawal.optional(),
    payment: z
      .strictObject({ txid: bareHash, vout: jsonCount, sats: jsonCount, anchorConfirmations: z.int(), ...bitcoinPlace })
      .meta({ title: 'payment link' })
      .optional(),
    settlement: z.strictObject(anchored).meta({ title: 'settlement link' }).optional(),
    bitcoin: z
      .strictObject({
        checkpoint: z.strictObject({ height: jsonCount, hash: bareHash }),
        tip: z.strictObject({ height: jsonCount, hash: bareHash, time: seconds }),
        workBits: z.number(),
      })
      .meta({ title: 'Bitcoin link' })
      .optional(),
    doesNotProve: z.array(z.string()).optional(),
    missing: z.string().nullable(),
    proof: z
      .looseObject({ format: z.literal('hemid-provenance-v1') })
      .meta({ title: 'provenance proof' })
      .nullable(),
  })
  .meta({ title: 'provenance' });
