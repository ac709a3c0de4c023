import { RLP } from '@ethereumjs/rlp';

/** A node of a Merkle Patricia trie with keys of one length, so that branches carry no value. Paths are hex digits. */
export type TrieNode = LeafNode | ExtensionNode | BranchNode;

export interface LeafNode {
  kind: 'leaf';
  /** What is left of the key. */
  path: string;
  value: Uint8Array;
  dirty: boolean;
  /** Its hash while it is as it was stored. */
  hash?: Uint8Array;
}

export interface ExtensionNode {
  kind: 'extension';
  path: string;
  child: Child;
  dirty: boolean;
  hash?: Uint8Array;
}

export interface BranchNode {
  kind: 'branch';
  /** Sixteen. */
  children: (Child | undefined)[];
  dirty: boolean;
  hash?: Uint8Array;
}

/** A child in memory, or the reference to one that is stored (its hash). */
export type Child = TrieNode | Uint8Array;

type Item = Uint8Array | Item[];

/** Hex-prefix encoding (Yellow Paper, appendix C). */
function toHexPrefix(path: string, isLeaf: boolean): Uint8Array {
  const flag = (isLeaf ? 2 : 0) + (path.length % 2);
  return Buffer.from(`${flag.toString(16)}${path.length % 2 === 0 ? '0' : ''}${path}`, 'hex');
}

function fromHexPrefix(bytes: Uint8Array): { path: string; isLeaf: boolean } {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
  const flag = (bytes[0] ?? 0) >> 4;
  return { path: text.slice(flag % 2 === 1 ? 1 : 2), isLeaf: flag >= 2 };
}

/** The node's RLP items, its children given as references: a hash, or the items of an embedded node. */
export function toItems(node: TrieNode, reference: (child: Child, step: string) => Item): Item[] {
  if (node.kind === 'leaf') return [toHexPrefix(node.path, true), node.value];
  if (node.kind === 'extension') return [toHexPrefix(node.path, false), reference(node.child, node.path)];
  const none = new Uint8Array();
  const items: Item[] = node.children.map((child, i) => (child === undefined ? none : reference(child, i.toString(16))));
  items.push(none);
  return items;
}

/** Bytes of items. */
export const encodeItems = (items: Item[]): Uint8Array => RLP.encode(items as Uint8Array[]);

function childFrom(item: Item): Child | undefined {
  if (Array.isArray(item)) return nodeFromItems(item);
  return item.length === 0 ? undefined : item;
}

function nodeFromItems(items: Item[]): TrieNode {
  if (items.length === 17) return { kind: 'branch', children: items.slice(0, 16).map(childFrom), dirty: false };
  const { path, isLeaf } = fromHexPrefix(items[0] as Uint8Array);
  if (isLeaf) return { kind: 'leaf', path, value: items[1] as Uint8Array, dirty: false };
  return { kind: 'extension', path, child: childFrom(items[1] as Item) as Child, dirty: false };
}

/** The node of stored bytes. */
export function decodeNode(bytes: Uint8Array): TrieNode {
  return nodeFromItems(RLP.decode(bytes) as Item[]);
}
