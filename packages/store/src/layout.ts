import { fixed, hash, only, record, rest, text, u32, u64, u256 } from './codec.ts';
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

export interface ScriptOutputKey {
  /** sha256 of the scriptPubKey. */
  scriptHash: Uint8Array;
  txid: Uint8Array;
  vout: number;
}

export interface ScriptOutputRow {
  valueSats: bigint;
  madeAt: number;
  spentAt: number;
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

/** {@link OutputRow.spentAt} of an output that is unspent. */
export const UNSPENT = 0xffffffff;

const table = <K, V>(prefix: string, key: Table<K, V>['key'], value: Table<K, V>['value']): Table<K, V> => ({
  prefix,
  key,
  value,
});
const position = record<PositionRow>({ hash, height: u32 });

/** The whole disk on one page: prefix, key, value, a sentence. */
export const layout = {
  /** Single rows by name: schema version, spec hash. */
  meta: table('m', text, only(rest)),
  /** Positions by name: how far each Bitcoin follower (`index`, `anchors`) has come. */
  position: table('x', text, position),

  /** Every valid Bitcoin header known, side branches too. */
  bitcoinHeader: table('H', only(hash), record<HeaderRow>({ header: fixed(80), height: u32, work: u256 })),
  /** Raw Bitcoin blocks, serialised with witness; orphaned ones are kept. */
  bitcoinBlock: table('B', only(hash), only(rest)),
  /** Index: outputs by outpoint. */
  output: table('o', record<OutputKey>({ txid: hash, vout: u32 }), record<OutputRow>({ valueSats: u64, madeAt: u32, spentAt: u32, script: rest })),
  /** Index: outputs by script, in the order of precompile 0x41. */
  scriptOutput: table(
    'a',
    record<ScriptOutputKey>({ scriptHash: hash, txid: hash, vout: u32 }),
    record<ScriptOutputRow>({ valueSats: u64, madeAt: u32, spentAt: u32 }),
  ),
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
  /** Valid blocks without a known child: the candidates of fork choice. */
  leaf: table('l', only(hash), only(u64)),
  /** The canonical chain: number → hash. */
  canonical: table('n', only(u64), only(hash)),
  /** State trie nodes and contract code, keyed as @ethereumjs/statemanager keys them. */
  trieNode: table('s', only(rest), only(rest)),
  /** Where a canonical L2 transaction stands. */
  transaction: table('T', only(hash), record<TransactionLocationRow>({ blockHash: hash, index: u32 })),
  /** Canonical keystones by abbreviated hash. */
  keystone: table('k', only(hash), record<KeystoneRow>({ number: u64, blockHash: hash })),
  /** Slots this node has sealed, and with which block: never two. */
  sealedSlot: table('S', only(u64), only(hash)),
  /** Headers and seals of blocks that prove a sequencer sealed one slot twice: RLP [header, seal]. */
  slotEvidence: table('e', record<SlotEvidenceKey>({ slot: u64, blockHash: hash }), only(rest)),
} as const;
