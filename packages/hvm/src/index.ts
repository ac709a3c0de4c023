export { type AccessList, createAccessList } from './access-list.ts';
export { nextBaseFee } from './base-fee.ts';
export { type BlockExecution, type ExecutedBlock, openBlockExecution } from './block-execution.ts';
export type { BlockInput, ExecutionDeps } from './block-opening.ts';
export {
  type BlockRequest,
  type BlocksRequest,
  type CallOutcome,
  type SimulatedBlock,
  type SimulatedCall,
  simulateBlocks,
} from './block-simulation.ts';
export { creationOpcodes } from './create-opcode.ts';
export { createdAddress } from './created-address.ts';
export { fastCrypto } from './crypto.ts';
export { installFastInterpreter } from './fast-interpreter.ts';
export { buildGenesis } from './genesis.ts';
export { createInlineRunner, type InlineBlock, type InlineContext, type InlineResult, type InlineRunner } from './inline/inline-transaction.ts';
export type { Fees, Message } from './message.ts';
export { type Frame, type FrameKind, type FrameResult, type Observer, observe, type Step } from './observation.ts';
export type { AccountOverride, Slots } from './override.ts';
export { balance } from './precompiles/40-balance.ts';
export { unspent } from './precompiles/41-unspent.ts';
export { transaction } from './precompiles/42-transaction.ts';
export { confirmations } from './precompiles/43-confirmations.ts';
export { lastHeader } from './precompiles/44-last-header.ts';
export { headerAt } from './precompiles/45-header-at.ts';
export { script } from './precompiles/46-script.ts';
export { input } from './precompiles/47-input.ts';
export { output } from './precompiles/48-output.ts';
export { witness } from './precompiles/49-witness.ts';
export { bindAll } from './precompiles/all.ts';
export { type BoundPrecompile, bindPrecompile, type Precompile } from './precompiles/bind.ts';
export { type ReplayedResult, type ReplayedTransaction, type ReplayOptions, replayBlock, type Watch } from './replay.ts';
export { createCommon } from './rule-set.ts';
export { createSandbox, type Sandbox, type SandboxBlock, type SandboxContext } from './sandbox.ts';
export { hashOfTransaction } from './sender.ts';
export { recoverSenders } from './sender-recovery.ts';
export { signTransaction } from './signed-transaction.ts';
export { type BlockOverride, estimateGas, type SimulationOptions, type SimulationResult, simulate } from './simulation.ts';
export { type CommittedState, commitState } from './state/commit-state.ts';
export { type FlatState, openFlatState } from './state/flat-state.ts';
export { keccak } from './state/keccak.ts';
export { readAccount, readCode, readSlot } from './state/read.ts';
export { type AccountProof, createStateReader, proveAtOnce, type StateReader } from './state/reader.ts';
export type { BaseState, StateChanges, StateDiff, StateSource } from './state/source.ts';
export { createStateStore, type StateBlock, type StateStore, type StateStoreDeps, type StateStoreOptions } from './state/state-store.ts';
export type { StorageWrite } from './state/write.ts';
export { accountIn, heirIn, logIn, slotIn, storedIn } from './step-reading.ts';
export { asUserTransaction } from './system/development.ts';
export { listRoot } from './trie-root.ts';
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
