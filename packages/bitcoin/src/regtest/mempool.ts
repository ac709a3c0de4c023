import type { Batch, Store } from '@hemid/store';
import { type PendingRow, regtestLayout } from './layout.ts';
import { outpointKey, type RegtestTransaction, readTransaction, virtualSize } from './transaction.ts';

/** A transaction that waits for a block. */
export interface MempoolEntry extends RegtestTransaction {
  feeSats: bigint;
  /** Virtual size in vbytes. */
  vsize: number;
  /** When it came in, seconds. */
  timeSeconds: number;
  /** Height of the tip when it came in. */
  height: number;
  /** Whether a caller of this node sent it, and no peer has asked for it. */
  unbroadcast: boolean;
  /** Order in which entries came in. */
  sequence: number;
  /** Entries whose outputs it spends. */
  parents: Set<MempoolEntry>;
  /** Entries that spend its outputs. */
  children: Set<MempoolEntry>;
}

/** What a new entry is made of. */
export type NewEntry = RegtestTransaction & Pick<MempoolEntry, 'feeSats' | 'timeSeconds' | 'height' | 'unbroadcast'>;

/** Transactions that wait for a block: kept consistent with one another, in memory, with their rows. It judges nothing. */
export interface Mempool {
  read(id: string): MempoolEntry | undefined;
  all(): Iterable<MempoolEntry>;
  /** The entry that spends an output, by {@link outpointKey}. */
  spender(outpoint: string): MempoolEntry | undefined;
  add(entry: NewEntry): MempoolEntry;
  /** Removes an entry but not what descends from it. */
  remove(entry: MempoolEntry): void;
  /** Writes what changed since the last time. */
  flush(batch: Batch): void;
}

/** Reads the mempool from its rows: it was consistent with the chain when they were written, in the same batch. */
export async function loadMempool(store: Store): Promise<Mempool> {
  const entries = new Map<string, MempoolEntry>();
  const spenders = new Map<string, MempoolEntry>();
  const changed = new Map<string, Uint8Array>();
  let sequence = 0;

  function insert(data: NewEntry & { sequence: number }): MempoolEntry {
    const entry: MempoolEntry = { ...data, vsize: virtualSize(data.weight), parents: new Set(), children: new Set() };
    entries.set(entry.id, entry);
    for (const { hash, index } of entry.tx.ins) spenders.set(outpointKey(hash, index), entry);
    return entry;
  }

  /** Finds the relatives of an entry; those inserted later are found when it is their turn. */
  function link(entry: MempoolEntry): void {
    const children = [...entry.tx.outs.keys()].map((vout) => spenders.get(outpointKey(entry.txid, vout)));
    for (const child of children) if (child !== undefined) tie(entry, child);
    for (const { hash } of entry.tx.ins) {
      const parent = entries.get(outpointKey(hash, 0).slice(0, 64));
      if (parent !== undefined) tie(parent, entry);
    }
  }

  function tie(parent: MempoolEntry, child: MempoolEntry): void {
    parent.children.add(child);
    child.parents.add(parent);
  }

  for await (const [, row] of store.range(regtestLayout.pending)) {
    const { raw, unbroadcast, ...rest } = row;
    insert({ ...(readTransaction(raw) as RegtestTransaction), ...rest, unbroadcast: unbroadcast === 1 });
    sequence = Math.max(sequence, row.sequence);
  }
  for (const entry of entries.values()) link(entry);

  return {
    read: (id) => entries.get(id),
    all: () => entries.values(),
    spender: (outpoint) => spenders.get(outpoint),
    add(data) {
      sequence += 1;
      const entry = insert({ ...data, sequence });
      link(entry);
      changed.set(entry.id, entry.txid);
      return entry;
    },
    remove(entry) {
      entries.delete(entry.id);
      for (const { hash, index } of entry.tx.ins) spenders.delete(outpointKey(hash, index));
      for (const parent of entry.parents) parent.children.delete(entry);
      for (const child of entry.children) child.parents.delete(entry);
      changed.set(entry.id, entry.txid);
    },
    flush(batch) {
      for (const [id, txid] of changed) {
        const entry = entries.get(id);
        if (entry === undefined) batch.del(regtestLayout.pending, txid);
        else batch.put(regtestLayout.pending, txid, toRow(entry));
      }
      changed.clear();
    },
  };
}

const toRow = ({ sequence, timeSeconds, height, feeSats, unbroadcast, raw }: MempoolEntry): PendingRow => ({
  sequence,
  timeSeconds,
  height,
  feeSats,
  unbroadcast: unbroadcast ? 1 : 0,
  raw,
});

/** All entries that must be mined before `start`, the starting entries included. */
export function withAncestors(start: Iterable<MempoolEntry>): Set<MempoolEntry> {
  return reach(start, ({ parents }) => parents);
}

/** All entries that cannot be mined without `start`, the starting entries included. */
export function withDescendants(start: Iterable<MempoolEntry>): Set<MempoolEntry> {
  return reach(start, ({ children }) => children);
}

function reach(start: Iterable<MempoolEntry>, next: (entry: MempoolEntry) => Iterable<MempoolEntry>): Set<MempoolEntry> {
  const found = new Set(start);
  for (const entry of found) for (const other of next(entry)) found.add(other);
  return found;
}

/** Fees (sats) and sizes (vbytes) of several entries together. */
export function sum(entries: Iterable<MempoolEntry>): { feeSats: bigint; vsize: number } {
  let total = { feeSats: 0n, vsize: 0 };
  for (const { feeSats, vsize } of entries) total = { feeSats: total.feeSats + feeSats, vsize: total.vsize + vsize };
  return total;
}
