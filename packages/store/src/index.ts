export { type Codec, type Field, fixed, hash, only, record, rest, text, u32, u64, u256 } from './codec.ts';
export { type BlockTree, type Follower, follow, type Route, routeBetween } from './follower.ts';
export {
  type HeaderRow,
  type KeystoneRow,
  layout,
  type OutputKey,
  type OutputRow,
  type PositionRow,
  type PublicationKey,
  type PublicationRow,
  type ScriptOutputKey,
  type ScriptOutputRow,
  type SlotEvidenceKey,
  type TransactionLocationRow,
  type TransactionRow,
  UNSPENT,
} from './layout.ts';
export { type Batch, openMemoryStore, openStore, type Range, type Reader, type Store, type Table } from './store.ts';
