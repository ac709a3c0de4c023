import { readTransaction } from '@hemid/bitcoin';
import { toDigits, toDisplay } from '@hemid/protocol';
import { z } from 'zod';
import { fail } from '../errors.ts';
import { type CommandTable, command, type TbcDeps } from './command.ts';
import { bytes, hash } from './field.ts';
import { encodeGoTransaction, goTransaction, showTransaction } from './go-transaction.ts';

const force = z.boolean().default(false);

/** @throws `rpc/not-found` */
async function find(txid: Uint8Array, { best }: TbcDeps): Promise<Uint8Array> {
  const raw = await best.transaction(txid);
  if (raw === undefined) throw fail('rpc/not-found', `tx not found: ${toDisplay(txid)}`);
  return raw;
}

/** Transactions of the chain, and new ones. The Bitcoin node judges what is sent, so `force` means nothing here. */
export const transactionCommands: CommandTable = {
  'tx-by-id': command({
    doc: 'A transaction of the best chain.',
    payload: z.object({ tx_id: hash }),
    handle: async ({ tx_id: txid }, deps) => ({ tx: showTransaction(readTransaction(await find(txid, deps))) }),
  }),
  'tx-by-id-raw': command({
    doc: 'A transaction of the best chain, serialised with witnesses.',
    payload: z.object({ tx_id: hash }),
    handle: async ({ tx_id: txid }, deps) => ({ tx: toDigits(await find(txid, deps)) }),
  }),
  'tx-broadcast': command({
    doc: 'Sends a transaction given as the JSON of btcd.',
    payload: z.object({ tx: goTransaction, force }),
    handle: async ({ tx }, { gateway }) => ({ tx_id: toDisplay(await gateway.broadcast(encodeGoTransaction(tx))) }),
  }),
  'tx-broadcast-raw': command({
    doc: 'Sends a serialised transaction.',
    payload: z.object({ tx: bytes, force }),
    handle: async ({ tx }, { gateway }) => ({ tx_id: toDisplay(await gateway.broadcast(tx)) }),
  }),
};
