/** A node of a Merkle Patricia trie with keys of one length, so that branches carry no value. Paths are hex digits. */
export type TrieNode = LeafNode | ExtensionNode | BranchNode;

export interface LeafNode {
  kind: 'leaf';
  /** What is left of the key. */
  path: string;
  value: Uint8Array;
  /** What the key is the hash of, latin1; unknown for one that stood in its parent's row. */
  name: string | undefined;
  /** Whether its row stands at this place already: it holds the name, so another value does not change it. */
  isStored: boolean;
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
  /** Sixteen; a number is where a hash begins in `row`. {@link childOf} reads them. */
  children: (Child | number | undefined)[];
  /** What it was decoded from: most of its children are copied from there and never looked at. */
  row?: Uint8Array;
  /** A bit for each child that is a hash of a leaf stored by its name. */
  leaves: number;
  dirty: boolean;
  hash?: Uint8Array;
}

/** A child in memory, or the reference to one that is stored (its hash). */
export type Child = TrieNode | Uint8Array;

/**
 * What stands for a node in its parent: the hash of its RLP, 32 bytes, or that RLP itself when it is shorter. Nothing
 * is an absent child.
 */
export type Reference = Uint8Array;

/** Bytes of a hash that stands for a child. */
export const REFERENCE_SIZE = 32;

/** The child of a branch at a digit. */
export function childOf({ children, row }: BranchNode, digit: number): Child | undefined {
  const child = children[digit];
  return typeof child === 'number' ? (row as Uint8Array).subarray(child, child + REFERENCE_SIZE) : child;
}
