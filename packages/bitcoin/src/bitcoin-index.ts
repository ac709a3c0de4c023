import { createHash } from 'node:crypto';
import type { BitcoinTransaction } from '@hemid/protocol';
import { type Batch, type Follower, layout, type OutputKey, UNSPENT } from '@hemid/store';
import type { BitcoinBlock } from './block.ts';
import { publicationsIn } from './publication.ts';

/** A block with its height: what Bitcoin followers are given. */
export interface IndexedBlock {
  block: BitcoinBlock;
  height: number;
}

const OP_RETURN = 0x6a;
const MAX_SCRIPT = 10_000;

/** sha256 of a scriptPubKey: the key of its outputs. */
export function hashScript(script: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update(script).digest());
}

/** Unspendable outputs never enter the index (protocol 4.4). */
function isUnspendable(script: Uint8Array): boolean {
  return script[0] === OP_RETURN || script.length > MAX_SCRIPT;
}

/** Marks the outputs that a transaction spends; ones from before the hVM genesis are not there and change nothing. */
function setSpent(transaction: BitcoinTransaction, spentAt: number, batch: Batch): void {
  if (transaction.isCoinbase) return;
  for (const { txid, vout } of transaction.inputs) {
    const row = batch.get(layout.output, { txid, vout });
    if (row === undefined) continue;
    batch.put(layout.output, { txid, vout }, { ...row, spentAt });
    const { valueSats, madeAt } = row;
    batch.put(layout.scriptOutput, { scriptHash: hashScript(row.script), txid, vout }, { valueSats, madeAt, spentAt });
  }
}

function eachOutput(transaction: BitcoinTransaction, visit: (key: OutputKey, valueSats: bigint, script: Uint8Array) => void): void {
  for (const [vout, { valueSats, script }] of transaction.outputs.entries()) {
    if (!isUnspendable(script)) visit({ txid: transaction.txid, vout }, valueSats, script);
  }
}

/** Transactions, outputs by outpoint and by script, and publications of the canonical blocks (protocol 4.4). */
export const bitcoinIndex: Follower<IndexedBlock> = {
  name: 'index',
  apply({ block, height }, batch) {
    for (const [index, transaction] of block.transactions.entries()) {
      setSpent(transaction, height, batch);
      batch.put(layout.bitcoinTransaction, transaction.txid, { height, index });
      eachOutput(transaction, (key, valueSats, script) => {
        batch.put(layout.output, key, { valueSats, madeAt: height, spentAt: UNSPENT, script });
        const row = { valueSats, madeAt: height, spentAt: UNSPENT };
        batch.put(layout.scriptOutput, { scriptHash: hashScript(script), ...key }, row);
      });
    }
    for (const { key, row } of publicationsIn(block, height)) batch.put(layout.publication, key, row);
  },
  revert({ block, height }, batch) {
    for (const { key } of publicationsIn(block, height)) batch.del(layout.publication, key);
    for (const transaction of [...block.transactions].reverse()) {
      eachOutput(transaction, (key, _valueSats, script) => {
        batch.del(layout.output, key);
        batch.del(layout.scriptOutput, { scriptHash: hashScript(script), ...key });
      });
      batch.del(layout.bitcoinTransaction, transaction.txid);
      setSpent(transaction, UNSPENT, batch);
    }
  },
};
