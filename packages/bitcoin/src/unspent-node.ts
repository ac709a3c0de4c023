/** An output in a leaf. */
export interface TreeEntry {
  /** txid (internal order) ‖ vout u32, 36 bytes: the order of the tree. */
  outpoint: Uint8Array;
  valueSats: bigint;
}

/** A node as its parent knows it. */
export interface TreeChild {
  /** No outpoint below it is smaller. */
  outpoint: Uint8Array;
  /** Height of the block that wrote it, and its number among that block's nodes. */
  since: number;
  index: number;
  /** Outputs below it. */
  count: number;
  /** While a block changes it: the node itself. */
  node?: TreeNode;
}

export interface Leaf {
  kind: 'leaf';
  entries: TreeEntry[];
}

export interface Inner {
  kind: 'inner';
  children: TreeChild[];
}

/** A node of an unspent tree, its entries by outpoint. */
export type TreeNode = Leaf | Inner;

const LEAF = 0;
const INNER = 1;
const OUTPOINT_SIZE = 36;
const ENTRY_SIZE = OUTPOINT_SIZE + 8;
const CHILD_SIZE = OUTPOINT_SIZE + 12;

/** kind u8 ‖ leaf: outpoint ‖ sats u64 …, inner: outpoint ‖ since u32 ‖ index u32 ‖ count u32 …; big-endian. */
export function encodeNode(node: TreeNode): Uint8Array {
  const count = node.kind === 'leaf' ? node.entries.length : node.children.length;
  const size = node.kind === 'leaf' ? ENTRY_SIZE : CHILD_SIZE;
  const bytes = new Uint8Array(1 + count * size);
  const view = new DataView(bytes.buffer);
  bytes[0] = node.kind === 'leaf' ? LEAF : INNER;
  if (node.kind === 'leaf') {
    for (const [i, { outpoint, valueSats }] of node.entries.entries()) {
      bytes.set(outpoint, 1 + i * size);
      view.setBigUint64(1 + i * size + OUTPOINT_SIZE, valueSats);
    }
    return bytes;
  }
  for (const [i, child] of node.children.entries()) {
    const at = 1 + i * size + OUTPOINT_SIZE;
    bytes.set(child.outpoint, 1 + i * size);
    view.setUint32(at, child.since);
    view.setUint32(at + 4, child.index);
    view.setUint32(at + 8, child.count);
  }
  return bytes;
}

/** The inverse of {@link encodeNode}. */
export function decodeNode(bytes: Uint8Array): TreeNode {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const size = bytes[0] === LEAF ? ENTRY_SIZE : CHILD_SIZE;
  if (bytes[0] === undefined || bytes[0] > INNER || (bytes.length - 1) % size !== 0)
    throw new RangeError('bytes that are no node of an unspent tree');
  const starts = Array.from({ length: (bytes.length - 1) / size }, (_, i) => 1 + i * size);
  const outpointAt = (at: number): Uint8Array => bytes.subarray(at, at + OUTPOINT_SIZE);
  if (bytes[0] === LEAF) {
    return { kind: 'leaf', entries: starts.map((at) => ({ outpoint: outpointAt(at), valueSats: view.getBigUint64(at + OUTPOINT_SIZE) })) };
  }
  const children = starts.map((at) => {
    const tail = at + OUTPOINT_SIZE;
    return { outpoint: outpointAt(at), since: view.getUint32(tail), index: view.getUint32(tail + 4), count: view.getUint32(tail + 8) };
  });
  return { kind: 'inner', children };
}
