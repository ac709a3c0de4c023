export { allocate, type Codec, type Field, fixed, hash, only, record, rest, text, u32, u64, u256 } from './codec.ts';
export { type BlockTree, type Follower, follow, followInSteps, type Move, type Route, routeBetween, type Steps, take } from './follower.ts';
export {
  type HeaderRow,
  type KeystoneRow,
  type LogItemKey,
  layout,
  NO_VERSION,
  type OutputKey,
  type OutputRow,
  type PastScriptKey,
  type PositionRow,
  type PublicationKey,
  type PublicationRow,
  type ScriptNodeKey,
  type ScriptRow,
  type SlotEvidenceKey,
  type StateHistoryKey,
  type TransactionLocationRow,
  type TransactionRow,
  UNSPENT,
  type UnspentSetRow,
} from './layout.ts';
export { type OpenOptions, openMemoryStore, openStore, openStoreReader, type StoreReader } from './open-store.ts';
export { createOverlayStore, type OverlayOptions } from './overlay-store.ts';
export type { Batch, Guard, Range, Reader, Store, Table, TableSize } from './store.ts';
