import { allocate } from '@hemid/store';
import { fail } from '../errors.ts';
import { type BranchNode, type Child, REFERENCE_SIZE, type Reference, type TrieNode } from './trie-node.ts';

const ABSENT = 0x80;
/** First byte of the row of a leaf that is stored by its name; RLP of a node begins higher. */
const NAMED = 0;
/** Behind the RLP of a branch, in its row: {@link BranchNode.leaves}. */
const LEAVES_SIZE = 2;

/** Bytes of the RLP header before a payload of `length` bytes. */
const headSize = (length: number): number => (length <= 55 ? 1 : length <= 0xff ? 2 : length <= 0xffff ? 3 : 4);

/** Writes an RLP header at `at`; `base` is 0x80 for bytes, 0xc0 for a list. @returns where the payload begins. */
function putHead(out: Uint8Array, at: number, head: { base: number; length: number }): number {
  const { base, length } = head;
  const size = headSize(length);
  if (size === 1) {
    out[at] = base + length;
    return at + 1;
  }
  out[at] = base + 55 + size - 1;
  for (let i = size - 1, left = length; i >= 1; i -= 1, left >>= 8) out[at + i] = left & 0xff;
  return at + size;
}

const digitAt = (text: string, i: number): number => {
  const code = text.charCodeAt(i);
  return code >= 97 ? code - 87 : code - 48;
};

/** Writes the hex-prefix encoding of a path (Yellow Paper, appendix C) as an RLP string. @returns where it ends. */
function putHexPrefix(out: Uint8Array, start: number, { path, isLeaf }: { path: string; isLeaf: boolean }): number {
  const size = (path.length >> 1) + 1;
  const isOdd = path.length % 2;
  // One byte is below 0x80 always, and stands for itself.
  let at = size === 1 ? start : putHead(out, start, { base: 0x80, length: size });
  out[at] = (isLeaf ? 0x20 : 0) + (isOdd === 1 ? 0x10 + digitAt(path, 0) : 0);
  at += 1;
  for (let i = isOdd; i < path.length; i += 2, at += 1) out[at] = (digitAt(path, i) << 4) | digitAt(path, i + 1);
  return at;
}

const DIGITS = '0123456789abcdef';

function fromHexPrefix(bytes: Uint8Array): { path: string; isLeaf: boolean } {
  const flag = (bytes[0] ?? 0) >> 4;
  let path = flag % 2 === 1 ? (DIGITS[(bytes[0] ?? 0) & 15] ?? '') : '';
  path += Buffer.from(bytes.buffer, bytes.byteOffset + 1, bytes.length - 1).toString('hex');
  return { path, isLeaf: flag >= 2 };
}

/** Size of a byte string as RLP. */
const stringSize = (bytes: Uint8Array): number => (bytes.length === 1 && (bytes[0] ?? 0) < ABSENT ? 1 : headSize(bytes.length) + bytes.length);

function putString(out: Uint8Array, at: number, bytes: Uint8Array): number {
  const start = bytes.length === 1 && (bytes[0] ?? 0) < ABSENT ? at : putHead(out, at, { base: 0x80, length: bytes.length });
  out.set(bytes, start);
  return start + bytes.length;
}

const referenceSize = (reference: Reference): number => (reference.length === REFERENCE_SIZE ? REFERENCE_SIZE + 1 : reference.length);

function putReference(out: Uint8Array, at: number, reference: Reference): number {
  if (reference.length === REFERENCE_SIZE) return putString(out, at, reference);
  out.set(reference, at);
  return at + reference.length;
}

function encodePair(first: { path: string; isLeaf: boolean }, second: { bytes: Uint8Array; isReference: boolean }): Uint8Array {
  const { bytes, isReference } = second;
  const size = (first.path.length >> 1) + 1;
  const length = (size === 1 ? 1 : headSize(size) + size) + (isReference ? referenceSize(bytes) : stringSize(bytes));
  const out = allocate(headSize(length) + length);
  const at = putHexPrefix(out, putHead(out, 0, { base: 0xc0, length }), first);
  if (isReference) putReference(out, at, bytes);
  else putString(out, at, bytes);
  return out;
}

/** The RLP of a node; `reference` says what stands for each of its children. */
export function encodeNode(node: TrieNode, reference: (child: Child, step: string) => Reference): Uint8Array {
  if (node.kind === 'branch') return encodeBranch(node, reference);
  if (node.kind === 'leaf') return encodePair({ path: node.path, isLeaf: true }, { bytes: node.value, isReference: false });
  return encodePair({ path: node.path, isLeaf: false }, { bytes: reference(node.child, node.path), isReference: true });
}

/** The row of a node that {@link encodeNode} gave `rlp` for: a leaf's name, or that RLP, with a branch's `leaves` behind it. */
export function toRow(node: TrieNode, rlp: Uint8Array): Uint8Array {
  if (node.kind === 'branch') return new Uint8Array(rlp.buffer, rlp.byteOffset, rlp.length + LEAVES_SIZE);
  if (node.kind === 'extension' || node.name === undefined) return rlp;
  const { name } = node;
  const row = allocate(1 + name.length);
  row[0] = NAMED;
  for (let i = 0; i < name.length; i += 1) row[i + 1] = name.charCodeAt(i);
  return row;
}

/** A child of a branch to encode: a number is where its hash begins in the branch's row, as in {@link BranchNode.children}. */
type Encoded = Reference | number | undefined;

/** Where the children of a branch begin in its RLP, behind the list's header. */
const childrenStart = (row: Uint8Array): number => Math.max(1, (row[0] ?? 0) - 0xf7 + 1);

/** With room for what stands behind it in its row. */
function encodeBranch(node: BranchNode, reference: (child: Child, step: string) => Reference): Uint8Array {
  const references = node.children.map((child, i) => (child === undefined || typeof child === 'number' ? child : reference(child, DIGITS[i] ?? '')));
  const out = (node.row === undefined ? undefined : patchBranch(node.row, references)) ?? buildBranch(node, references);
  out[out.length - 2] = node.leaves >> 8;
  out[out.length - 1] = node.leaves & 0xff;
  return out.subarray(0, out.length - LEAVES_SIZE);
}

/** A copy of a branch with other hashes where hashes stand; `undefined` when that is not all that changed. */
function patchBranch(row: Uint8Array, references: readonly Encoded[]): Uint8Array | undefined {
  const out = allocate(row.length + LEAVES_SIZE);
  out.set(row);
  let at = childrenStart(row);
  for (const one of references) {
    const prefix = row[at];
    at += 1;
    if (one === undefined && prefix === ABSENT) continue;
    if (one === undefined || prefix !== ABSENT + REFERENCE_SIZE) return undefined;
    if (typeof one === 'number' ? one !== at : one.length !== REFERENCE_SIZE) return undefined;
    if (typeof one !== 'number') out.set(one, at);
    at += REFERENCE_SIZE;
  }
  return out;
}

function buildBranch(node: BranchNode, references: readonly Encoded[]): Uint8Array {
  let length = 1;
  for (const one of references) length += one === undefined ? 1 : typeof one === 'number' ? REFERENCE_SIZE + 1 : referenceSize(one);
  const size = headSize(length) + length;
  const out = allocate(size + LEAVES_SIZE);
  let at = putHead(out, 0, { base: 0xc0, length });
  for (const one of references) {
    if (one === undefined) {
      out[at] = ABSENT;
      at += 1;
    } else if (typeof one === 'number') {
      const row = node.row as Uint8Array;
      // Byte by byte: a view for each child would cost more.
      for (let i = -1; i < REFERENCE_SIZE; i += 1, at += 1) out[at] = row[one + i] as number;
    } else {
      at = putReference(out, at, one);
    }
  }
  out[at] = ABSENT;
  return out;
}

interface Span {
  isList: boolean;
  start: number;
  end: number;
}

const corrupt = (): Error => fail('hvm/state-missing', 'a stored trie node is not RLP');

/** The RLP item at `at`. */
function spanAt(bytes: Uint8Array, at: number): Span {
  const prefix = bytes[at] ?? ABSENT;
  if (prefix < ABSENT) return { isList: false, start: at, end: at + 1 };
  const isList = prefix >= 0xc0;
  const short = prefix - (isList ? 0xc0 : ABSENT);
  let [start, length] = [at + 1, short];
  if (short > 55) {
    length = 0;
    for (let i = 0; i < short - 55; i += 1) length = length * 256 + (bytes[at + 1 + i] ?? 0);
    start += short - 55;
  }
  if (start + length > bytes.length) throw corrupt();
  return { isList, start, end: start + length };
}

function childAt(bytes: Uint8Array, at: number, span: Span): Child | undefined {
  if (span.isList) return decodeNode(bytes.subarray(at, span.end));
  return span.end === span.start ? undefined : bytes.subarray(span.start, span.end);
}

/** The sixteen children of a branch, whose list begins at `start` and ends with the bytes. */
function childrenAt(bytes: Uint8Array, start: number): BranchNode['children'] {
  const children = Array<Child | number | undefined>(16).fill(undefined);
  let at = start;
  for (let i = 0; i < 16; i += 1) {
    const prefix = bytes[at];
    if (prefix === ABSENT) {
      at += 1;
    } else if (prefix === ABSENT + REFERENCE_SIZE) {
      children[i] = at + 1;
      at += 1 + REFERENCE_SIZE;
    } else {
      const span = spanAt(bytes, at);
      children[i] = childAt(bytes, at, span);
      at = span.end;
    }
  }
  if (at !== bytes.length - 1) throw corrupt();
  return children;
}

/** The node of an RLP. */
function decodeNode(bytes: Uint8Array): TrieNode {
  const list = spanAt(bytes, 0);
  if (!list.isList || list.end !== bytes.length) throw corrupt();
  const first = spanAt(bytes, list.start);
  const second = spanAt(bytes, first.end);
  if (second.end === bytes.length) {
    const { path, isLeaf } = fromHexPrefix(bytes.subarray(first.start, first.end));
    const value = bytes.subarray(second.start, second.end);
    if (isLeaf) return { kind: 'leaf', path, value, name: undefined, isStored: false, dirty: false };
    return { kind: 'extension', path, child: childAt(bytes, first.end, second) as Child, dirty: false };
  }
  return { kind: 'branch', children: childrenAt(bytes, list.start), row: bytes, leaves: 0, dirty: false };
}

/** Where the children of the branch in a row begin, behind its list's header; 0 when it is another node. */
function childrenFrom(row: Uint8Array): number {
  const prefix = row[0] ?? 0;
  const start = childrenStart(row);
  const length = prefix < 0xf8 ? prefix - 0xc0 : prefix === 0xf8 ? (row[1] ?? 0) : ((row[1] ?? 0) << 8) | (row[2] ?? 0);
  return prefix >= 0xc0 && start + length === row.length - LEAVES_SIZE ? start : 0;
}

/**
 * Where the hash of each child stands in the rows of two branches that have the same children, all of them hashes (0: no
 * child); `undefined` for all other rows.
 */
export function referencesOf(row: Uint8Array, other: Uint8Array): number[] | undefined {
  let at = childrenFrom(row);
  if (at === 0 || row.length !== other.length || at !== childrenFrom(other)) return undefined;
  const places: number[] = [];
  for (let i = 0; i < 16; i += 1) {
    const prefix = row[at];
    if (prefix !== other[at]) return undefined;
    if (prefix === ABSENT) {
      places.push(0);
      at += 1;
    } else if (prefix === ABSENT + REFERENCE_SIZE) {
      places.push(at + 1);
      at += 1 + REFERENCE_SIZE;
    } else {
      return undefined;
    }
  }
  return places;
}

/** Whether a row of the state is a leaf by its name: accounts and slots do not begin with this byte. */
export const isLeafName = (row: Uint8Array): boolean => row[0] === NAMED;

/** What a stored row says: a node, or the name of a leaf (latin1). */
export function decodeRow(row: Uint8Array): TrieNode | string {
  if (isLeafName(row)) return Buffer.from(row.buffer, row.byteOffset + 1, row.length - 1).toString('latin1');
  const size = spanAt(row, 0).end;
  const node = decodeNode(row.subarray(0, size));
  if (node.kind !== 'branch') {
    if (size !== row.length) throw corrupt();
    return node;
  }
  if (size !== row.length - LEAVES_SIZE) throw corrupt();
  node.leaves = ((row[size] ?? 0) << 8) | (row[size + 1] ?? 0);
  return node;
}
