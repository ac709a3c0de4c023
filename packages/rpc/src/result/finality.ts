import { z } from 'zod';
import { bitcoinTip, blockName, publication } from './place.ts';
import { bareHash, hexAddress, hexHash, hexQuantity, jsonCount } from './scalar.ts';

/** `hemi_getFinality`. */
export const finalityResult = z
  .strictObject({
    block: blockName,
    status: z.enum(['unpublished', 'published', 'safe', 'super', 'ultra']),
    confirmations: z.int().nullable(),
    thresholds: z.strictObject({ super: jsonCount, ultra: jsonCount }),
    keystone: blockName.nullable(),
    publication: publication.nullable(),
    bitcoinTip,
  })
  .meta({ title: 'finality' });

const labelled = z.strictObject({ number: hexQuantity, hash: hexHash, publication: publication.nullable() }).meta({ title: 'labelled head' });

/** `hemi_getHeads`. */
export const headsResult = z
  .strictObject({
    latest: blockName,
    safe: labelled,
    finalized: labelled,
    thresholds: z.strictObject({ safe: jsonCount, finalized: jsonCount }),
    bitcoinTip,
  })
  .meta({ title: 'labelled heads' });

const keystone = z
  .strictObject({
    version: jsonCount,
    l1_block_number: jsonCount,
    l2_block_number: jsonCount,
    parent_ep_hash: bareHash,
    prev_ep_keystone_hash: bareHash,
    state_root: bareHash,
    ep_hash: bareHash,
  })
  .meta({ title: 'keystone' });

/** `kss_getLatestKeystones` and `kss_getKeystone`, which tell of errors inside the result as the public network does. */
export const keystonesResult = z
  .strictObject({
    keystones: z.array(keystone).nullable(),
    error: z.strictObject({ timestamp: jsonCount, message: z.string() }).optional(),
  })
  .meta({ title: 'keystones' });

/** `optimism_btcFinalityByBlockHash`. */
export const keystoneFinalityResult = z
  .strictObject({
    l2_keystone: keystone,
    block_hash: z.union([bareHash, z.literal('')]),
    block_height: jsonCount,
    effective_confirmations: jsonCount,
    super_finality: z.boolean().optional(),
  })
  .meta({ title: 'keystone finality' });

const keystoneName = z.strictObject({ number: hexQuantity, hash: hexHash, id: bareHash }).meta({ title: 'keystone name' });
const payoutStatus = z.enum(['unpublished', 'unpayable', 'open', 'due', 'paid']);
const share = { score: hexQuantity, amount: hexQuantity, bitcoinHeight: jsonCount, bitcoinTxid: bareHash };

/** `hemi_getPopPayouts`; amounts are wei. */
export const payoutsResult = z
  .strictObject({
    keystone: keystoneName,
    status: payoutStatus,
    explanation: z.string(),
    pool: hexQuantity,
    window: z.strictObject({ opened: jsonCount, closes: jsonCount }).nullable(),
    bitcoinHeight: jsonCount,
    payees: z.array(z.strictObject({ miner: hexAddress, ...share }).meta({ title: 'payee' })),
  })
  .meta({ title: 'payouts' });

/** `hemi_getPopMiner`; amounts are wei. */
export const minerResult = z
  .strictObject({
    miner: hexAddress,
    paid: hexQuantity,
    pending: hexQuantity,
    publications: z.array(
      z.strictObject({ keystone: keystoneName, status: payoutStatus, explanation: z.string(), ...share }).meta({ title: "miner's publication" }),
    ),
  })
  .meta({ title: "miner's record" });

/** What `hemi_subscribe("payouts")` tells; amounts are wei. */
export const payoutNotice = z.strictObject({
  keystone: blockName,
  block: blockName,
  payees: z.array(z.strictObject({ miner: hexAddress, amount: hexQuantity }).meta({ title: 'paid miner' })),
  removed: z.boolean(),
});
