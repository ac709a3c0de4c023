import { type BitcoinTip, toDigits, toDisplay } from '@hemid/protocol';
import { z } from 'zod';
import { fail } from '../errors.ts';
import { type CommandTable, command } from './command.ts';
import { uint32 } from './field.ts';

const showPlace = ({ hash, height }: BitcoinTip) => ({ hash: toDisplay(hash), height });

/** The chain of headers, and how far the node has come. */
export const chainCommands: CommandTable = {
  ping: command({
    doc: 'The time of the node.',
    payload: z.object({ timestamp: z.number().default(0) }),
    handle: ({ timestamp }, { clock }) => ({ origintimestamp: timestamp, timestamp: Math.floor(clock.now() / 1000) }),
  }),
  'block-header-best-raw': command({
    doc: 'The header of the best block.',
    payload: z.object({}),
    handle(_, { best }) {
      const { height } = best.tip();
      return { height, block_header: toDigits(best.headerAt(height)?.header ?? new Uint8Array()) };
    },
  }),
  'block-headers-by-height-raw': command({
    doc: 'The header of the best chain at a height, in a list of one.',
    payload: z.object({ height: uint32 }),
    handle({ height }, { best }) {
      const placed = best.headerAt(height);
      if (placed === undefined) throw fail('rpc/not-found', `block headers not found at height ${height}`);
      return { block_headers: [toDigits(placed.header)] };
    },
  }),
  'sync-status': command({
    doc: 'How far the node has come: headers, publications (and all that is answered here), and its index, which follows the L2 head.',
    payload: z.object({}),
    handle(_, { best }) {
      const progress = best.progress();
      const tip = best.tip();
      const index = showPlace(progress.index);
      const missing = progress.best.height - tip.height;
      return {
        synced: toDigits(progress.best.hash) === toDigits(tip.hash),
        at_least_missing: missing,
        blockheader_index_height: showPlace(progress.best),
        keystone_index_height: showPlace(tip),
        tx_index_height: index,
        utxo_index_height: index,
        zk_index_height: { hash: '0'.repeat(64), height: 0 },
      };
    },
  }),
};
