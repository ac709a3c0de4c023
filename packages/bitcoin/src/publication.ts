import { type BitcoinTransaction, hashAbbreviated, readMiner, readPopScript } from '@hemid/protocol';
import type { PublicationKey, PublicationRow } from '@hemid/store';
import type { BitcoinBlock } from './block.ts';

/** A publication as rows of the index and of the anchors hold it. */
export interface PublicationEntry {
  key: PublicationKey;
  row: PublicationRow;
}

function inTransaction(transaction: BitcoinTransaction, block: BitcoinBlock, place: { height: number; txIndex: number }): PublicationEntry[] {
  return transaction.outputs.flatMap((output, vout) => {
    const keystone = readPopScript(output.script);
    if (keystone === undefined) return [];
    const input = transaction.inputs[0];
    const miner = input === undefined ? undefined : readMiner(input);
    return [
      {
        key: { abbreviatedHash: hashAbbreviated(keystone), ...place, vout },
        row: { txid: transaction.txid, blockHash: block.hash, miner: miner ?? new Uint8Array() },
      },
    ];
  });
}

/** Every keystone publication of a block, in order; the coinbase publishes nothing (protocol section 7). */
export function publicationsIn(block: BitcoinBlock, height: number): PublicationEntry[] {
  return block.transactions.flatMap((transaction, txIndex) => (transaction.isCoinbase ? [] : inTransaction(transaction, block, { height, txIndex })));
}
