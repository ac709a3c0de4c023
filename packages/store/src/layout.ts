import { type Codec, type Field, fixed, hash, only, record, rest, text, u32, u64, u256 } from './codec.ts';
import type { Table } from './store.ts';

/** Bitcoin hashes in keys and values are in internal byte order; numbers are big-endian. */

/** A Bitcoin header that was found valid. `work` is summed from the hVM genesis on, that block excluded. */
export interface HeaderRow {
  header: Uint8Array;
  height: number;
  work: bigint;
}

/** Where something stands in a chain. */
export interface PositionRow {
  hash: Uint8Array;
  height: number;
}

export interface OutputKey {
  txid: Uint8Array;
  vout: number;
}

/** A transaction output. `spentAt` is {@link UNSPENT} while no indexed block spends it. */
export interface OutputRow {
  valueSats: bigint;
  madeAt: number;
  spentAt: number;
  script: Uint8Array;
}

/**
 * The unspent outputs of a script as one block left them: the root of a tree (bitcoin/src/unspent-tree.ts). A block
 * that changes them makes a new version.
 */
export interface ScriptRow {
  /** Height of the block that made this version. */
  since: number;
  /** `since` of the version before; {@link NO_VERSION} when there is none. */
  previous: number;
  balanceSats: bigint;
  /** How many nodes stand beside the root with this `since`. */
  nodes: number;
  /** The root node. */
  root: Uint8Array;
}

/** Versions of one script sort newest first. */
export interface PastScriptKey {
  /** sha256 of the scriptPubKey. */
  scriptHash: Uint8Array;
  since: number;
}

export interface ScriptNodeKey extends PastScriptKey {
  index: number;
}

export interface TransactionRow {
  height: number;
  /** Index in its block. */
  index: number;
}

/** Publications sort by abbreviated keystone hash, then by their place in Bitcoin. */
export interface PublicationKey {
  abbreviatedHash: Uint8Array;
  height: number;
  txIndex: number;
  vout: number;
}

export interface PublicationRow {
  txid: Uint8Array;
  blockHash: Uint8Array;
  /** The miner's 20-byte L2 address; empty when the publication pays nobody. */
  miner: Uint8Array;
}

export interface TransactionLocationRow {
  blockHash: Uint8Array;
  index: number;
}

export interface KeystoneRow {
  number: bigint;
  blockHash: Uint8Array;
}

export interface SlotEvidenceKey {
  slot: bigint;
  blockHash: Uint8Array;
}

/** A labelled head, and the super-final keystone with its publication's Bitcoin block that it rests on. */
export interface LabelRow {
  blockHash: Uint8Array;
  keystoneHash: Uint8Array;
  publishedIn: Uint8Array;
}

/** How far the unspent set at the hVM genesis has been loaded from its file. */
export interface UnspentSetRow {
  /** `hash_serialized_3` of the set that the file was found to hold, internal order. */
  hashSerialized: Uint8Array;
  /** Offset in the file behind the last coin that is here; 0 while rows of another file are being deleted. */
  offset: bigint;
  coins: bigint;
  /** sha256 over those coins, in the form that `hash_serialized_3` hashes twice. */
  prefix: Uint8Array;
}

/** A row of the state as it was before a block. */
export interface StateHistoryKey {
  /** The state key, latin1. */
  key: string;
  block: bigint;
}

/** An address or topic that logs have, in a run of blocks. */
export interface LogItemKey {
  /** Block number / 256. */
  section: number;
  /** What the logs have, latin1 (chain/src/log-index.ts). */
  item: string;
}

/** {@link OutputRow.spentAt} of an output that is unspent. */
export const UNSPENT = 0xffffffff;

/** {@link ScriptRow.previous} of a first version. */
export const NO_VERSION = 0xffffffff;

const table = <K, V>(prefix: string, key: Table<K, V>['key'], value: Table<K, V>['value']): Table<K, V> => ({
  prefix,
  key,
  value,
});
/** A height, keyed so that the higher one sorts first. */
const descending: Field<number> = {
  size: 4,
  encode: (value) => u32.encode(0xffffffff - value),
  put: (value, target, at) => u32.put(0xffffffff - value, target, at),
  read: (bytes, from, to) => 0xffffffff - u32.read(bytes, from, to),
};
const script = record<ScriptRow>({ since: u32, previous: u32, balanceSats: u64, nodes: u32, root: rest });
const latin = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, 'latin1'));
const unlatin = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
/** Text of any bytes, latin1. */
const binary: Codec<string> = { encode: latin, decode: unlatin, latin: (text) => text };
/** The text of the block number written last: all rows of a block come one after the other. */
let lastNumber = { block: -1n, text: '' };
function numberText(block: bigint): string {
  if (lastNumber.block !== block) lastNumber = { block, text: unlatin(u64.encode(block)) };
  return lastNumber.text;
}
const stateHistoryKey: Codec<StateHistoryKey> = {
  encode: ({ key, block }) => latin(key + numberText(block)),
  decode: (bytes) => ({ key: unlatin(bytes.subarray(0, -8)), block: u64.read(bytes, bytes.length - 8, bytes.length) }),
  latin: ({ key, block }) => key + numberText(block),
};
const logItemText = ({ section, item }: LogItemKey): string =>
  String.fromCharCode(section >>> 24, (section >>> 16) & 0xff, (section >>> 8) & 0xff, section & 0xff) + item;
const logItemKey: Codec<LogItemKey> = {
  encode: (key) => latin(logItemText(key)),
  decode: (bytes) => ({ section: u32.read(bytes, 0, 4), item: unlatin(bytes.subarray(4)) }),
  latin: logItemText,
};
const position = record<PositionRow>({ hash, height: u32 });

/** The whole disk on one page: prefix, key, value, a sentence. */
export const layout = {
  /** Single rows by name: the genesis that the chain has, or was being given. */
  meta: table('m', text, only(rest)),
  /** Positions by name: how far each Bitcoin follower (`index`, `anchors`) has come, where `fork-choice` decided last. */
  position: table('x', text, position),

  /** Every valid Bitcoin header known, side branches too. */
  bitcoinHeader: table('H', only(hash), record<HeaderRow>({ header: fixed(80), height: u32, work: u256 })),
  /** Raw Bitcoin blocks, serialised with witness; orphaned ones are kept. */
  bitcoinBlock: table('B', only(hash), only(rest)),
  /** Index: outputs by outpoint. */
  output: table('o', record<OutputKey>({ txid: hash, vout: u32 }), record<OutputRow>({ valueSats: u64, madeAt: u32, spentAt: u32, script: rest })),
  /** Index: unspent outputs by sha256 of their script, in the order of precompile 0x41: the newest version. */
  script: table('a', only(hash), script),
  /** Index: the versions of `script` before the newest, for views of earlier blocks. */
  pastScript: table('A', record<PastScriptKey>({ scriptHash: hash, since: descending }), script),
  /** Index: nodes below the roots in `script` and `pastScript`; never changed, shared between versions. */
  scriptNode: table('d', record<ScriptNodeKey>({ scriptHash: hash, since: u32, index: u32 }), only(rest)),
  /** Index: where a transaction stands. */
  bitcoinTransaction: table('t', only(hash), record<TransactionRow>({ height: u32, index: u32 })),
  /** Index: keystone publications on the index's branch (what L2 blocks see). */
  publication: table(
    'p',
    record<PublicationKey>({ abbreviatedHash: hash, height: u32, txIndex: u32, vout: u32 }),
    record<PublicationRow>({ txid: hash, blockHash: hash, miner: rest }),
  ),
  /** Keystone publications on the node's own best Bitcoin chain (what finality sees). */
  anchor: table(
    'P',
    record<PublicationKey>({ abbreviatedHash: hash, height: u32, txIndex: u32, vout: u32 }),
    record<PublicationRow>({ txid: hash, blockHash: hash, miner: rest }),
  ),

  /** L2 headers by block hash, RLP. */
  header: table('h', only(hash), only(rest)),
  /** L2 blocks by hash: RLP [block, seal]. */
  block: table('b', only(hash), only(rest)),
  /** Receipts by block hash: RLP list. */
  receipts: table('r', only(hash), only(rest)),
  /** Wei that all accounts hold together after a block, by block hash; the dead address aside. */
  supply: table('s', only(hash), only(u256)),
  /** Valid blocks without a known child: the candidates of fork choice. */
  leaf: table('l', only(hash), only(u64)),
  /** The canonical chain: number → hash. */
  canonical: table('n', only(u64), only(hash)),
  /** The flat state at the block its position (`state`) names: accounts, slots, trie nodes by path, code. */
  state: table('f', binary, only(rest)),
  /** What a row of the state was before a canonical block changed it: its value, a part of it (hvm/src/state/history-row.ts), nothing when there was none. */
  stateHistory: table('F', stateHistoryKey, only(rest)),
  /** The state keys that a canonical block changed: RLP list. */
  stateUndo: table('U', only(u64), only(rest)),
  /** What a valid block off the canonical chain changes: RLP list of [key] or [key, value]. */
  stateDiff: table('D', only(hash), only(rest)),
  /** Where a canonical L2 transaction stands. */
  transaction: table('T', only(hash), record<TransactionLocationRow>({ blockHash: hash, index: u32 })),
  /** Where the canonical tunnel transaction about a Bitcoin transaction (txid, internal) stands. */
  tunnelTransaction: table('q', only(hash), record<TransactionLocationRow>({ blockHash: hash, index: u32 })),
  /** Canonical blocks with a log that has an address or topic, by sections of 256 blocks: number % 256 of each, a byte, ascending. */
  logItem: table('i', logItemKey, only(rest)),
  /** Canonical keystones by abbreviated hash. */
  keystone: table('k', only(hash), record<KeystoneRow>({ number: u64, blockHash: hash })),
  /**
   * What the state of a canonical keystone block shows of the blocks below it, by number: RLP [account, parent, previous], each
   * the trie nodes from the root down to the EIP-2935 contract and to its slots of those two hashes. Proofs of provenance
   * need it when the state itself is not kept any more.
   */
  historyProof: table('K', only(u64), only(rest)),
  /** Slots this node has sealed, and with which block: never two. */
  sealedSlot: table('S', only(u64), only(hash)),
  /** Headers and seals of blocks that prove a sequencer sealed one slot twice: RLP [header, seal]. */
  slotEvidence: table('e', record<SlotEvidenceKey>({ slot: u64, blockHash: hash }), only(rest)),

  /** Labels that outlast a restart, by name: `finalized`. */
  label: table('L', text, record<LabelRow>({ blockHash: hash, keystoneHash: hash, publishedIn: hash })),

  /** Transactions that wait in the pool of a sequencer, in parcels by number: RLP list of raw transactions. */
  pooled: table('w', only(u64), only(rest)),

  /** Batches of withdrawals that this custodian has signed, by the lowest id: RLP [unsigned transaction, complete one or nothing]. */
  signedBatch: table('g', only(u64), only(rest)),

  /** The unspent set at the hVM genesis: `loading` while its coins come in, `complete` once all of them are here. */
  unspentSet: table('u', text, record<UnspentSetRow>({ hashSerialized: hash, offset: u64, coins: u64, prefix: hash })),
} as const;
