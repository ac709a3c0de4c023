import { type BitcoinHeader, decodeBitcoinHeader, toDisplay } from '@hemid/protocol';
import type { Batch, Store } from '@hemid/store';
import { type BlockRow, regtestLayout } from './layout.ts';

/** What is known of a block, as bits of {@link BlockRow.state}. */
export const BlockState = {
  /** Its transactions are stored. */
  BODY: 1,
  /** It was once connected: its scripts are valid. */
  CONNECTED: 2,
  /** It or an ancestor is invalid, by the rules or by `invalidateblock`. */
  FAILED: 4,
} as const;

/** A block in the tree. */
export interface BlockNode {
  /** Internal order. */
  hash: Uint8Array;
  /** Display order. */
  id: string;
  header: BitcoinHeader;
  headerBytes: Uint8Array;
  parent: BlockNode | undefined;
  height: number;
  /** Order in which bodies arrived: of two equally heavy chains the earlier wins. */
  sequence: number;
  /** 0 while there is no body. */
  transactions: number;
  state: number;
}

/** All blocks known, in memory, with their rows. */
export interface BlockTree {
  read(id: string): BlockNode | undefined;
  all(): Iterable<BlockNode>;
  /** Adds a node, or writes the changed fields of one. */
  put(node: BlockNode, batch: Batch): void;
  nextSequence(): number;
}

/** Reads the tree from its rows. */
export async function loadBlockTree(store: Store): Promise<BlockTree> {
  const nodes = new Map<string, BlockNode>();
  const rows: [Uint8Array, BlockRow][] = [];
  for await (const row of store.range(regtestLayout.block)) rows.push(row);
  rows.sort(([, a], [, b]) => a.height - b.height);
  for (const [hash, row] of rows) {
    const header = decodeBitcoinHeader(row.header);
    const parent = nodes.get(toDisplay(header.previous));
    const { header: headerBytes, ...rest } = row;
    nodes.set(toDisplay(hash), { hash, id: toDisplay(hash), header, headerBytes, parent, ...rest });
  }
  let sequence = rows.reduce((highest, [, row]) => Math.max(highest, row.sequence), 0);
  return {
    read: (id) => nodes.get(id),
    all: () => nodes.values(),
    put(node, batch) {
      nodes.set(node.id, node);
      const { height, sequence: order, transactions, state } = node;
      batch.put(regtestLayout.block, node.hash, { header: node.headerBytes, height, sequence: order, transactions, state });
    },
    nextSequence() {
      sequence += 1;
      return sequence;
    },
  };
}

export const hasState = (node: BlockNode, state: number): boolean => (node.state & state) !== 0;

/** Median of the times of a block and its ten ancestors (BIP113), seconds. */
export function medianTimePast(node: BlockNode): number {
  const times: number[] = [];
  for (let at: BlockNode | undefined = node; at !== undefined && times.length < 11; at = at.parent) times.push(at.header.time);
  return times.sort((a, b) => a - b)[times.length >> 1] ?? 0;
}

/** The ancestor of a block at a height, the block itself included. */
export function ancestorAt(node: BlockNode, height: number): BlockNode | undefined {
  let at: BlockNode | undefined = node;
  while (at !== undefined && at.height > height) at = at.parent;
  return at?.height === height ? at : undefined;
}
