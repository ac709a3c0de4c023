/** What this file knows of @ethereumjs/evm 10.1.3's interpreter; it is not exported there. */
export interface Stepping {
  _runState: {
    programCounter: number;
    opCode: number;
    gasRefund: bigint;
    stack: { getStack(): bigint[] };
    memory: { _store: Uint8Array };
    stateManager: object;
  };
  _env: { depth: number; address: object; contract: object; codeAddress: object };
  _evm: {
    _opcodeMap: { opcodeInfo: { fullName: string; fee: number; isAsync: boolean; code: number } }[];
    _emit(name: string, event: object): Promise<void>;
  };
  _runStepHook(this: Stepping, cost: bigint, gasLeft: bigint, memoryWords: bigint): Promise<void>;
}

/**
 * Tells who listens to the EVM of a step, in place of the stock hook. That one copies the memory at every step, and reads
 * the data of a REVERT before it is known whether its gas lasts: of 2^256 bytes no array can be made.
 */
export async function tellStep(this: Stepping, cost: bigint, gasLeft: bigint, memoryWords: bigint): Promise<void> {
  const { _runState: state, _env: env, _evm: evm } = this;
  const info = evm._opcodeMap[state.opCode]?.opcodeInfo;
  if (info === undefined) return;
  await evm._emit('step', {
    pc: state.programCounter,
    gasLeft,
    gasRefund: state.gasRefund,
    opcode: { name: info.fullName, fee: info.fee, dynamicFee: cost, isAsync: info.isAsync, code: info.code },
    stack: state.stack.getStack(),
    depth: env.depth,
    address: env.address,
    account: env.contract,
    codeAddress: env.codeAddress,
    memoryWordCount: memoryWords,
    stateManager: state.stateManager,
    get memory() {
      return state.memory._store.slice(0, Number(memoryWords) * 32);
    },
  });
}
