import { sha256 } from '@noble/hashes/sha2.js';
import { Point } from '@noble/secp256k1';
import { compare, concat, fromBigEndian } from './bytes.ts';

const LEAF_VERSION = 0xc0;

function taggedHash(tag: string, ...parts: Uint8Array[]): Uint8Array {
  const hash = sha256(new TextEncoder().encode(tag));
  return sha256(concat(hash, hash, ...parts));
}

/** Length of a script as Bitcoin writes it; scripts here are shorter than 65,536 bytes. */
const compactSize = (size: number): Uint8Array => (size < 0xfd ? Uint8Array.of(size) : Uint8Array.of(0xfd, size & 0xff, size >> 8));

/** Scripts of which any one may spend, in a binary tree (BIP-341). */
export type ScriptTree = Uint8Array | readonly [ScriptTree, ScriptTree];

/** Hash of a leaf: what a signature of its script commits to. */
export function tapLeafHash(script: Uint8Array): Uint8Array {
  return taggedHash('TapLeaf', Uint8Array.of(LEAF_VERSION), compactSize(script.length), script);
}

/** The root of a tree, its first leaf, and the hashes that lead from there to the root. */
function walk(tree: ScriptTree): { root: Uint8Array; leaf: Uint8Array; path: Uint8Array[] } {
  if (tree instanceof Uint8Array) return { root: tapLeafHash(tree), leaf: tree, path: [] };
  const [left, right] = [walk(tree[0]), walk(tree[1])];
  const root = taggedHash('TapBranch', ...[left.root, right.root].sort(compare));
  return { root, leaf: left.leaf, path: [...left.path, right.root] };
}

/** What is added to the internal key (x only), as a number. */
export function tapTweak(internal: Uint8Array, root: Uint8Array = new Uint8Array()): bigint {
  return fromBigEndian(taggedHash('TapTweak', internal, root));
}

/** A taproot output: its script, and how its first leaf is spent. */
export interface TaprootOutput {
  script: Uint8Array;
  leaf: { script: Uint8Array; controlBlock: Uint8Array } | undefined;
}

/** The output of an internal key (x only, on the curve) and a tree of scripts, if it has any (BIP-341). */
export function toTaproot(internal: Uint8Array, tree?: ScriptTree): TaprootOutput {
  const walked = tree && walk(tree);
  const point = Point.fromBytes(concat(Uint8Array.of(2), internal)).add(Point.BASE.multiply(tapTweak(internal, walked?.root)));
  const output = point.toBytes();
  const script = concat(Uint8Array.of(0x51, 32), output.subarray(1));
  if (walked === undefined) return { script, leaf: undefined };
  const parity = (output[0] ?? 2) - 2;
  return { script, leaf: { script: walked.leaf, controlBlock: concat(Uint8Array.of(LEAF_VERSION | parity), internal, ...walked.path) } };
}
