export { type Builder, type BuilderDeps, type BuilderOptions, type BuildRequest, createBuilder } from './builder.ts';
export { createSlotDuty, type SlotDuty, type SlotDutyDeps } from './duty.ts';
export { createPool, type Pool, type PoolCursor } from './pool.ts';
