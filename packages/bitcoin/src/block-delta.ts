import { type BitcoinTransaction, isUnspendable } from '@hemid/protocol';
import { layout, type OutputKey, type Store } from '@hemid/store';
import type { BitcoinBlock } from './block.ts';

/** An output that a block makes or spends. */
export interface DeltaOutput extends OutputKey {
  valueSats: bigint;
  script: Uint8Array;
  isCoinbase: boolean;
}

/** What a block changes of the unspent outputs, by {@link outpointName}, and where its transactions stand in it. */
export interface BlockDelta {
  made: ReadonlyMap<string, DeltaOutput>;
  /** Outputs of earlier blocks; `undefined` for one that the index does not know: it is from before an empty start. */
  spent: ReadonlyMap<string, { script: Uint8Array; valueSats: bigint } | undefined>;
  /** Index in the block by {@link bytesName} of the txid. */
  transactions: ReadonlyMap<string, number>;
}

/** Bytes as a key of a map. */
export const bytesName = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

/** An outpoint as a key of a map. */
export const outpointName = ({ txid, vout }: OutputKey): string => `${bytesName(txid)}/${vout}`;

const outputsOf = ({ txid, outputs, isCoinbase }: BitcoinTransaction): DeltaOutput[] =>
  outputs.flatMap(({ valueSats, script }, vout) => (isUnspendable(script) ? [] : [{ txid, vout, valueSats, script, isCoinbase }]));

/**
 * Reads what a block changes. An output that it spends is looked for in the deltas of the blocks right `below` it,
 * then in the index, which must hold all blocks below those.
 */
export function deltaOf(block: BitcoinBlock, { store, below }: { store: Store; below: readonly BlockDelta[] }): BlockDelta {
  const made = new Map<string, DeltaOutput>();
  const spent = new Map<string, { script: Uint8Array; valueSats: bigint } | undefined>();
  const transactions = new Map<string, number>();
  for (const [index, transaction] of block.transactions.entries()) {
    transactions.set(bytesName(transaction.txid), index);
    for (const key of transaction.isCoinbase ? [] : transaction.inputs) {
      const name = outpointName(key);
      if (made.delete(name)) continue;
      const recent = below.find((delta) => delta.made.has(name))?.made.get(name);
      spent.set(name, recent ?? store.get(layout.output, { txid: key.txid, vout: key.vout }));
    }
    for (const output of outputsOf(transaction)) made.set(outpointName(output), output);
  }
  return { made, spent, transactions };
}
