import { toBitcoinTransaction } from '@hemid/bitcoin';
import { fromHex } from '@hemid/protocol';
import { Transaction } from 'bitcoinjs-lib';
import { z } from 'zod';
import { type Sighting, sightingsIn } from '../sighting.ts';
import type { TbcSocket } from './tbc-socket.ts';

/** The publications of keystones that a TBC node knows. */
export interface TbcPublications {
  /** Those of these keystones (abbreviated hashes, display order) in the block of the first one and the two above it. */
  find(keystoneIds: readonly string[], signal?: AbortSignal): Promise<Sighting[]>;
}

const blockList = z.object({ l2_keystone_blocks: z.array(z.object({ l2_keystone_block_height: z.number().int(), error: z.unknown().optional() })) });
const transactionList = z.object({ keystone_txs: z.array(z.object({ block_height: z.number().int(), raw_tx: z.string() })).nullable() });

/** Keystones of one question. */
const MAX_KEYSTONES = 50;
/** Blocks that TBC looks at, from the first publication on. */
const DEPTH = 3;

/** Creates a reader. */
export function createTbcPublications(socket: TbcSocket): TbcPublications {
  /** Those that are in a block. */
  async function selectPublished(ids: readonly string[], signal?: AbortSignal): Promise<string[]> {
    const payload = { l2_keystone_abrev_hashes: ids };
    const { l2_keystone_blocks: blocks } = await socket.call('block-by-l2-abrev-hash', { payload, schema: blockList }, signal);
    return ids.filter((_, i) => {
      const block = blocks[i];
      return block !== undefined && (block.error === undefined || block.error === null);
    });
  }

  async function read(id: string, signal?: AbortSignal): Promise<Sighting[]> {
    const payload = { l2_keystone_abrev_hash: id, depth: DEPTH };
    const { keystone_txs: found } = await socket.call('l2-keystone-txs-by-abrev-hash', { payload, schema: transactionList }, signal);
    return (found ?? []).flatMap(({ block_height: height, raw_tx }) => {
      const transaction = toBitcoinTransaction(Transaction.fromBuffer(fromHex(raw_tx)));
      return sightingsIn(transaction, height).filter(({ keystoneId }) => keystoneId === id);
    });
  }

  return {
    async find(keystoneIds, signal) {
      const sightings: Sighting[] = [];
      for (let start = 0; start < keystoneIds.length; start += MAX_KEYSTONES) {
        for (const id of await selectPublished(keystoneIds.slice(start, start + MAX_KEYSTONES), signal)) sightings.push(...(await read(id, signal)));
      }
      return sightings;
    },
  };
}
