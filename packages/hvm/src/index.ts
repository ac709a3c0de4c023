export { nextBaseFee } from './base-fee.ts';
export {
  type BlockExecution,
  type BlockInput,
  type ExecutedBlock,
  type ExecutionDeps,
  openBlockExecution,
} from './block-execution.ts';
export { createCommon } from './common.ts';
export { buildGenesis } from './genesis.ts';
export { balance } from './precompiles/40-balance.ts';
export { confirmations } from './precompiles/43-confirmations.ts';
export { lastHeader } from './precompiles/44-last-header.ts';
export { headerAt } from './precompiles/45-header-at.ts';
export { type BoundPrecompile, bindPrecompile, type Precompile } from './precompiles/bind.ts';
export { estimateGas, type Message, type SimulationContext, type SimulationResult, simulate } from './simulation.ts';
export { createStateReader, type StateNodes, type StateReader, type StorageWrite } from './state.ts';
export {
  checkExecutable,
  checkStateless,
  decodeUserTransaction,
  effectiveGasPrice,
  feeCap,
  MAX_TRANSACTION_GAS,
  maximumCost,
  type SenderState,
  tipCap,
  type UserTransaction,
} from './user-transaction.ts';
