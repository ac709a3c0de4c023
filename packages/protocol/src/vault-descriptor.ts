import { ripemd160 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { addressToScript, type BitcoinNetwork } from './bitcoin-address.ts';
import { compare, concat, equal } from './bytes.ts';
import { descriptorChecksum } from './descriptor-checksum.ts';
import { type KeyReader, readPublishedKey } from './descriptor-key.ts';
import { fail } from './errors.ts';
import { type ScriptTree, toTaproot } from './taproot.ts';

/** How the coins of a vault are spent. */
export type VaultSpending =
  | { kind: 'wpkh' }
  | { kind: 'wsh'; witnessScript: Uint8Array }
  /** By the internal key (x only) itself, tweaked. */
  | { kind: 'tr-key'; internalKey: Uint8Array }
  /** By the first script of the tree. */
  | { kind: 'tr-leaf'; internalKey: Uint8Array; leafScript: Uint8Array; controlBlock: Uint8Array };

/** A vault of which everything is known that is needed to spend from it. */
export interface Vault {
  /** scriptPubKey. */
  script: Uint8Array;
  /** How many of the keys must sign. */
  required: number;
  /** In the order of the script: 33 bytes compressed, 32 bytes (x only) in taproot. */
  publicKeys: Uint8Array[];
  spending: VaultSpending;
}

const OP_CHECKSIG = 0xac;
const OP_CHECKMULTISIG = 0xae;
const OP_CHECKSIGADD = 0xba;
const OP_NUMEQUAL = 0x9c;
const CHECKSUM_SIZE = 8;
/** What OP_CHECKMULTISIG takes at most (BIP-383). */
const MAX_WSH_KEYS = 20;
/** What this program takes in a leaf; BIP-387 has 999. */
const MAX_LEAF_KEYS = 100;

const push = (bytes: Uint8Array): Uint8Array => concat(Uint8Array.of(bytes.length), bytes);
/** A number from 1 to 127 as a script pushes it. */
const pushNumber = (n: number): Uint8Array => (n <= 16 ? Uint8Array.of(0x50 + n) : Uint8Array.of(1, n));
const xOnly = (key: Uint8Array): Uint8Array => key.slice(1);

/** An expression `name(argument, …)`; commas within brackets do not part arguments. */
function split(text: string): { name: string; parts: string[] } {
  const [, name, inner] = /^([a-z_]+)\((.*)\)$/s.exec(text) ?? [];
  if (name === undefined || inner === undefined) throw fail('protocol/descriptor', `"${text}" is no expression like wpkh(KEY)`);
  return { name, parts: splitAtCommas(inner) };
}

function splitAtCommas(text: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const character of text) {
    if ('({['.includes(character)) depth += 1;
    if (')}]'.includes(character)) depth -= 1;
    if (character === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}

interface Multi {
  required: number;
  publicKeys: Uint8Array[];
}

/** `m, KEY, …` of the multi functions. */
function readMulti(
  [threshold = '', ...expressions]: string[],
  keyOf: (text: string) => Uint8Array,
  options: { isSorted: boolean; max: number },
): Multi {
  const publicKeys = expressions.map(keyOf);
  const required = /^[1-9][0-9]{0,2}$/.test(threshold) ? Number(threshold) : 0;
  if (required < 1 || required > publicKeys.length) {
    throw fail('protocol/descriptor', `${threshold} of ${publicKeys.length} keys cannot be: from 1 to all of them must sign`);
  }
  if (publicKeys.length > options.max) throw fail('protocol/descriptor', `${publicKeys.length} keys, and at most ${options.max} can be`);
  const sorted = options.isSorted ? publicKeys.sort(compare) : publicKeys;
  if (sorted.some((key, i) => sorted.findIndex((other) => equal(other, key)) !== i)) throw fail('protocol/descriptor', 'a key stands there twice');
  return { required, publicKeys: sorted };
}

/** The vault `wsh(multi(required, keys))`: compressed keys, in this order (BIP-383). */
export function toWshVault(required: number, publicKeys: Uint8Array[]): Vault {
  const witnessScript = concat(pushNumber(required), ...publicKeys.map(push), pushNumber(publicKeys.length), Uint8Array.of(OP_CHECKMULTISIG));
  return { script: concat(Uint8Array.of(0, 32), sha256(witnessScript)), required, publicKeys, spending: { kind: 'wsh', witnessScript } };
}

function readWsh(text: string, keyOf: KeyReader): Vault {
  const { name, parts } = split(text);
  if (name !== 'multi' && name !== 'sortedmulti')
    throw fail('protocol/descriptor', `wsh(${name}(…)) is no vault that is known here: use wsh(sortedmulti(…))`);
  const full = (key: string): Uint8Array => keyOf(key, { isXOnly: false });
  const { required, publicKeys } = readMulti(parts, full, { isSorted: name === 'sortedmulti', max: MAX_WSH_KEYS });
  return toWshVault(required, publicKeys);
}

function readWpkh(text: string, keyOf: KeyReader): Vault {
  const key = keyOf(text, { isXOnly: false });
  return { script: concat(Uint8Array.of(0, 20), ripemd160(sha256(key))), required: 1, publicKeys: [key], spending: { kind: 'wpkh' } };
}

/** `pk(KEY)`, `multi_a(m, KEY, …)` or `sortedmulti_a(m, KEY, …)` (BIP-386, BIP-387). */
function readLeaf(text: string, keyOf: KeyReader): Multi & { script: Uint8Array } {
  const { name, parts } = split(text);
  const short = (key: string): Uint8Array => xOnly(keyOf(key, { isXOnly: true }));
  if (name === 'pk' && parts.length === 1) {
    const key = short(parts[0] as string);
    return { required: 1, publicKeys: [key], script: concat(push(key), Uint8Array.of(OP_CHECKSIG)) };
  }
  if (name !== 'multi_a' && name !== 'sortedmulti_a') {
    throw fail('protocol/descriptor', `${name}(…) is no leaf that is known here: use pk, multi_a or sortedmulti_a`);
  }
  const multi = readMulti(parts, short, { isSorted: name === 'sortedmulti_a', max: MAX_LEAF_KEYS });
  const checks = multi.publicKeys.map((key, i) => concat(push(key), Uint8Array.of(i === 0 ? OP_CHECKSIG : OP_CHECKSIGADD)));
  return { ...multi, script: concat(...checks, pushNumber(multi.required), Uint8Array.of(OP_NUMEQUAL)) };
}

/** A leaf, or `{tree,tree}`; with whose keys the first leaf is signed. */
function readTree(text: string, keyOf: KeyReader): { tree: ScriptTree; signers: Multi } {
  if (!text.startsWith('{')) {
    const { script, ...signers } = readLeaf(text, keyOf);
    return { tree: script, signers };
  }
  const parts = text.endsWith('}') ? splitAtCommas(text.slice(1, -1)) : [];
  if (parts.length !== 2) throw fail('protocol/descriptor', `"${text}" is no tree: {one,other}`);
  const [left, right] = parts.map((part) => readTree(part, keyOf)) as [ReturnType<typeof readTree>, ReturnType<typeof readTree>];
  return { tree: [left.tree, right.tree], signers: left.signers };
}

function readTr(parts: string[], keyOf: KeyReader): Vault {
  const [key = '', treeText] = parts;
  const internalKey = xOnly(keyOf(key, { isXOnly: true }));
  if (treeText === undefined) {
    const { script } = toTaproot(internalKey);
    return { script, required: 1, publicKeys: [internalKey], spending: { kind: 'tr-key', internalKey } };
  }
  const { tree, signers } = readTree(treeText, keyOf);
  const { script, leaf } = toTaproot(internalKey, tree);
  const { script: leafScript, controlBlock } = leaf as NonNullable<typeof leaf>;
  return { script, ...signers, spending: { kind: 'tr-leaf', internalKey, leafScript, controlBlock } };
}

function checkChecksum(text: string): string {
  const at = text.lastIndexOf('#');
  const body = at === -1 ? text : text.slice(0, at);
  const right = descriptorChecksum(body);
  if (right === undefined) throw fail('protocol/descriptor', 'it has a character that no descriptor has');
  if (at === -1) throw fail('protocol/descriptor', `its checksum is missing: if it is right as it stands, write #${right} behind it`);
  const given = text.slice(at + 1);
  if (given.length !== CHECKSUM_SIZE || given !== right)
    throw fail('protocol/descriptor', `its checksum is #${right}, not #${given}: it is mistyped or cut`);
  return body;
}

/**
 * The vault of an output descriptor (BIP-380 to 387) with its checksum: `wpkh(KEY)`, `wsh(multi(m,KEY,…))`,
 * `wsh(sortedmulti(m,KEY,…))`, `tr(KEY)` and `tr(KEY,TREE)` with leaves `pk`, `multi_a` and `sortedmulti_a`. With a tree the
 * first leaf is whose keys sign.
 *
 * @throws `protocol/descriptor` saying what is wrong with it.
 */
export function readVaultWith(text: string, keyOf: KeyReader): Vault {
  const { name, parts } = split(checkChecksum(text));
  const [only = ''] = parts;
  if (name === 'wpkh' && parts.length === 1) return readWpkh(only, keyOf);
  if (name === 'wsh' && parts.length === 1) return readWsh(only, keyOf);
  if (name === 'tr' && parts.length <= 2) return readTr(parts, keyOf);
  throw fail(
    'protocol/descriptor',
    `${name}(…) with ${parts.length} arguments is no vault that is known here: use wsh(sortedmulti(…)), tr(…) or wpkh(…)`,
  );
}

/** Scripts of the vaults that were read: rules are looked up for every block, and points on the curve are slow. */
const known = new Map<string, Uint8Array>();
const MAX_KNOWN = 256;

/**
 * The scriptPubKey of a vault as a chain spec names it: an address, or a descriptor with its checksum and with keys in hex.
 *
 * @throws `protocol/descriptor` saying what is wrong with it.
 */
export function vaultScript(text: string, network: BitcoinNetwork): Uint8Array {
  const name = `${network} ${text}`;
  const found = known.get(name);
  if (found !== undefined) return found;
  const script = text.includes('(') ? readVaultWith(text, readPublishedKey).script : addressToScript(text, network);
  if (script === undefined) throw fail('protocol/descriptor', `it is not an address of ${network}, and no descriptor`);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(name, script);
  return script;
}
