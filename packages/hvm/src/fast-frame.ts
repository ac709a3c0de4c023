import { EVM, EVMError } from '@ethereumjs/evm';
import { Account, type Address, createZeroAddress } from '@ethereumjs/util';

/** What this file knows of @ethereumjs/evm 10.1.3: one frame, the EVM that runs it, and the objects a frame is made of. */
interface Message {
  to?: Address;
  caller?: Address;
  data?: Uint8Array;
  value?: bigint;
  code: Uint8Array;
  gasLimit: bigint;
  isStatic?: boolean;
  isCreate?: boolean;
  depth?: number;
  codeAddress: Address;
  gasRefund?: bigint;
  chargeCodeAccesses?: boolean;
  blobVersionedHashes?: unknown[];
  accessWitness?: { commit(): void };
  createdAddresses?: Set<string>;
  selfdestruct?: Map<string, Uint8Array>;
}

interface Frame {
  _result: { logs: unknown[]; returnValue: Uint8Array | undefined; selfdestruct?: unknown; createdAddresses?: unknown };
  run(code: Uint8Array, options: object): Promise<{ runState: FrameState; exceptionError?: { error: string } }>;
}

interface FrameState {
  memory: object;
  stack: object;
  interpreter: object;
  gasLeft: bigint;
  gasRefund: bigint;
  stateGasSpilled: bigint;
}

interface Machine {
  stateManager: { getAccount(address: Address): Promise<Account | undefined> };
  blockchain: unknown;
  journal: unknown;
  performanceLogger: unknown;
  common: unknown;
  _optsCached: { profiler?: unknown };
  _tx: { gasPrice: bigint; origin?: Address };
  _block: unknown;
  runInterpreter(message: Message, options?: { initialLogs?: unknown[] }): Promise<object>;
}

const NO_BYTES = new Uint8Array();
const SLAB = 1 << 20;
const FRAME = 2048;
let slab = new Uint8Array();
let used = SLAB;

/** Zeroed memory for a new frame, cut from a larger piece; no two frames share it, and most never outgrow it. */
function frameMemory(): Uint8Array {
  if (used + FRAME > SLAB) {
    slab = new Uint8Array(SLAB);
    used = 0;
  }
  used += FRAME;
  return slab.subarray(used - FRAME, used);
}

/**
 * Makes the EVM build its frames without the constructor of its interpreter, which takes 8 KiB outside of the heap for
 * each: collecting those costs more than running them. What a frame is and gives stays the same.
 *
 * @param sample the state of any frame that is running, for the classes that @ethereumjs/evm does not export.
 */
export function installFastFrame(sample: FrameState): void {
  const [interpreter, memory] = [sample.interpreter, sample.memory].map((one) => Object.getPrototypeOf(one) as object) as [object, object];
  const Stack = sample.stack.constructor as new () => object;
  const machine = EVM.prototype as unknown as Machine;
  const stock = machine.runInterpreter;

  /** The interpreter of a frame, as its constructor leaves it. */
  function open(evm: Machine, env: { gasRefund: bigint | undefined; initialLogs: unknown[] | undefined }, gasLeft: bigint): Frame {
    const frame = Object.create(interpreter) as Frame & Record<string, unknown>;
    const store = Object.create(memory) as { _store: Uint8Array };
    store._store = frameMemory();
    frame['opDebuggers'] = {};
    frame['_evm'] = evm;
    frame['_stateManager'] = evm.stateManager;
    frame['common'] = evm.common;
    frame['_runState'] = {
      programCounter: 0,
      opCode: 0xfe,
      memory: store,
      memoryWordCount: 0n,
      highestMemCost: 0n,
      stack: new Stack(),
      code: NO_BYTES,
      validJumps: NO_BYTES,
      cachedPushes: {},
      stateManager: evm.stateManager,
      blockchain: evm.blockchain,
      env,
      shouldDoJumpAnalysis: true,
      interpreter: frame,
      gasRefund: env.gasRefund,
      gasLeft,
      stateGasSpilled: 0n,
      returnBytes: NO_BYTES,
    };
    frame['journal'] = evm.journal;
    frame['_env'] = env;
    frame._result = { logs: env.initialLogs === undefined ? [] : [...env.initialLogs], returnValue: undefined, selfdestruct: new Map() };
    frame['profilerOpts'] = evm._optsCached.profiler;
    frame['performanceLogger'] = evm.performanceLogger;
    return frame;
  }

  machine.runInterpreter = async function runInterpreter(message, options = {}) {
    if (this._block === undefined) return stock.call(this, message, options);
    const env = {
      address: message.to ?? createZeroAddress(),
      caller: message.caller ?? createZeroAddress(),
      callData: message.data ?? Uint8Array.of(0),
      callValue: message.value ?? 0n,
      code: message.code,
      isStatic: message.isStatic ?? false,
      isCreate: message.isCreate ?? false,
      depth: message.depth ?? 0,
      gasPrice: this._tx.gasPrice,
      origin: this._tx.origin ?? message.caller ?? createZeroAddress(),
      block: this._block,
      contract: (await this.stateManager.getAccount(message.to ?? createZeroAddress())) ?? new Account(),
      codeAddress: message.codeAddress,
      gasRefund: message.gasRefund,
      chargeCodeAccesses: message.chargeCodeAccesses,
      blobVersionedHashes: message.blobVersionedHashes ?? [],
      accessWitness: message.accessWitness,
      createdAddresses: message.createdAddresses,
      initialLogs: options.initialLogs,
    };
    const frame = open(this, env, message.gasLimit);
    if (message.selfdestruct !== undefined) frame._result.selfdestruct = message.selfdestruct;
    if (message.createdAddresses !== undefined) frame._result.createdAddresses = message.createdAddresses;
    const { runState, exceptionError } = await frame.run(message.code, options);
    let executionGasUsed = message.gasLimit - runState.gasLeft;
    let result = frame._result;
    if (exceptionError !== undefined) {
      if (exceptionError.error !== EVMError.errorMessages.REVERT && exceptionError.error !== EVMError.errorMessages.INVALID_EOF_FORMAT) {
        executionGasUsed = message.gasLimit;
      }
      result = { ...result, logs: [], selfdestruct: new Map(), createdAddresses: new Set() };
    }
    message.accessWitness?.commit();
    return {
      ...result,
      runState,
      exceptionError,
      gas: runState.gasLeft,
      executionGasUsed,
      gasRefund: runState.gasRefund,
      stateGasSpilled: runState.stateGasSpilled,
      returnValue: result.returnValue ?? new Uint8Array(),
    };
  };
}
