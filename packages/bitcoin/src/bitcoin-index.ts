import { type BitcoinTransaction, isUnspendable } from '@hemid/protocol';
import { type Batch, type Follower, layout, type OutputKey, type OutputRow, UNSPENT } from '@hemid/store';
import type { BitcoinBlock } from './block.ts';
import { publicationsIn } from './publication.ts';
import { sha256 } from './sha256.ts';
import { applyChanges, revertChanges, type UnspentChange } from './unspent-tree.ts';

/** A block with its height: what Bitcoin followers are given. */
export interface IndexedBlock {
  block: BitcoinBlock;
  height: number;
}

/** sha256 of a scriptPubKey: the key of its outputs. */
export function hashScript(script: Uint8Array): Uint8Array {
  return sha256(script);
}

/** What a block, or a piece of a snapshot, changes of the unspent outputs. */
function createScriptChanges() {
  const changes = new Map<string, { script: Uint8Array; change: UnspentChange }>();
  const name = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

  return {
    make(script: Uint8Array, key: OutputKey, valueSats: bigint): void {
      const outpoint = layout.output.key.encode(key);
      changes.set(name(outpoint), { script, change: { kind: 'made', outpoint, valueSats } });
    },
    /** What was made and spent in one block never shows (protocol 4.4). */
    spend(script: Uint8Array, key: OutputKey, valueSats: bigint): void {
      const outpoint = layout.output.key.encode(key);
      const outpointName = name(outpoint);
      if (!changes.delete(outpointName)) changes.set(outpointName, { script, change: { kind: 'spent', outpoint, valueSats } });
    },
    apply(batch: Batch, height: number): void {
      const byScript = new Map<string, { scriptHash: Uint8Array; changes: UnspentChange[] }>();
      for (const { script, change } of changes.values()) {
        const scriptHash = hashScript(script);
        const scriptName = name(scriptHash);
        const found = byScript.get(scriptName);
        if (found === undefined) byScript.set(scriptName, { scriptHash, changes: [change] });
        else found.changes.push(change);
      }
      for (const one of byScript.values()) applyChanges(batch, { scriptHash: one.scriptHash, height }, one.changes);
    },
  };
}

/** An output of the unspent set at the hVM genesis. */
export interface SnapshotOutput extends OutputKey {
  valueSats: bigint;
  script: Uint8Array;
  /** Height of the block that made it. */
  madeAt: number;
}

/**
 * Writes outputs of the unspent set at the hVM genesis, before any block is applied. The same outputs again change
 * nothing.
 */
export function addUnspent(batch: Batch, genesisHeight: number, outputs: readonly SnapshotOutput[]): void {
  const scripts = createScriptChanges();
  for (const { txid, vout, valueSats, script, madeAt } of outputs) {
    batch.put(layout.output, { txid, vout }, { valueSats, madeAt, spentAt: UNSPENT, script });
    scripts.make(script, { txid, vout }, valueSats);
  }
  scripts.apply(batch, genesisHeight);
}

/** The rows with this `spentAt` among the outputs that a transaction spends; ones from before the hVM genesis may be unknown. */
function spentBy(transaction: BitcoinTransaction, spentAt: number, batch: Batch): { key: OutputKey; row: OutputRow }[] {
  if (transaction.isCoinbase) return [];
  return transaction.inputs.flatMap(({ txid, vout }) => {
    const row = batch.get(layout.output, { txid, vout });
    return row?.spentAt === spentAt ? [{ key: { txid, vout }, row }] : [];
  });
}

function spendable(transaction: BitcoinTransaction): { key: OutputKey; valueSats: bigint; script: Uint8Array }[] {
  const { txid, outputs } = transaction;
  return outputs.flatMap(({ valueSats, script }, vout) => (isUnspendable(script) ? [] : [{ key: { txid, vout }, valueSats, script }]));
}

/** Transactions, outputs by outpoint and by script, and publications of the canonical blocks (protocol 4.4). */
export const bitcoinIndex: Follower<IndexedBlock> = {
  name: 'index',
  apply({ block, height }, batch) {
    const scripts = createScriptChanges();
    for (const [index, transaction] of block.transactions.entries()) {
      for (const { key, row } of spentBy(transaction, UNSPENT, batch)) {
        batch.put(layout.output, key, { ...row, spentAt: height });
        scripts.spend(row.script, key, row.valueSats);
      }
      batch.put(layout.bitcoinTransaction, transaction.txid, { height, index });
      for (const { key, valueSats, script } of spendable(transaction)) {
        batch.put(layout.output, key, { valueSats, madeAt: height, spentAt: UNSPENT, script });
        scripts.make(script, key, valueSats);
      }
    }
    scripts.apply(batch, height);
    for (const { key, row } of publicationsIn(block, height)) batch.put(layout.publication, key, row);
  },
  revert({ block, height }, batch) {
    for (const { key } of publicationsIn(block, height)) batch.del(layout.publication, key);
    for (const transaction of [...block.transactions].reverse()) {
      for (const { key, script } of spendable(transaction)) {
        revertChanges(batch, { scriptHash: hashScript(script), height });
        batch.del(layout.output, key);
      }
      batch.del(layout.bitcoinTransaction, transaction.txid);
      for (const { key, row } of spentBy(transaction, height, batch)) {
        revertChanges(batch, { scriptHash: hashScript(row.script), height });
        batch.put(layout.output, key, { ...row, spentAt: UNSPENT });
      }
    }
  },
};
