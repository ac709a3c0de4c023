import { z } from 'zod';
import { bareHash, hexAddress, hexHash, hexQuantity, jsonCount } from './scalar.ts';

/** Which L2 block it is. */
export const blockName = z.strictObject({ number: hexQuantity, hash: hexHash }).meta({ title: 'block name' });

/** A Bitcoin block, its hash in display order. */
export const bitcoinTip = z.strictObject({ height: jsonCount, hash: bareHash }).meta({ title: 'Bitcoin tip' });

/** A keystone in Bitcoin. */
export const publication = z
  .strictObject({
    keystone: blockName,
    confirmations: z.int(),
    bitcoinHeight: jsonCount,
    bitcoinBlockHash: bareHash,
    bitcoinTxid: bareHash,
    transactionIndex: jsonCount,
    outputIndex: jsonCount,
    miner: hexAddress.nullable(),
  })
  .meta({ title: 'publication' });
