export { type Builder, type BuilderDeps, type BuilderOptions, type BuildRequest, createBuilder } from './builder.ts';
export {
  type AccountCall,
  createDevelopmentSequencer,
  type DevelopmentSequencer,
  type DevelopmentSequencerOptions,
  type MineRequest,
} from './development/sequencer.ts';
export { createSlotDuty, type SlotDuty, type SlotDutyDeps } from './duty.ts';
export { createPool, type Pool, type PoolContent, type PoolDeps } from './pool.ts';
export type { Pooled } from './pool-account.ts';
export type { PoolWatcher } from './pool-book.ts';
export type { PoolCursor } from './pool-cursor.ts';
export { createPoolJournal, type PoolJournal, type PoolJournalDeps } from './pool-journal.ts';
export { POOL_LIMITS, type PoolLimits } from './pool-room.ts';
