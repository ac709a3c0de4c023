import type { Common } from '@ethereumjs/common';
import { createEVM, EVMError } from '@ethereumjs/evm';
import { installFastFrame } from './fast-frame.ts';
import { type SprintState, sprint, sprintFees } from './sprint.ts';
import { type Stepping, tellStep } from './step-hook.ts';

/** What this file knows of @ethereumjs/evm 10.1.3's interpreter; it is not exported there. */
interface RunState extends SprintState {
  opCode: number;
  code: Uint8Array;
  validJumps: Uint8Array;
  cachedPushes: Record<number, bigint>;
  shouldDoJumpAnalysis: boolean;
}

type Handled = undefined | Promise<void>;

interface Opcode {
  opcodeInfo: { feeBigInt: bigint; dynamicGas: boolean; isInvalid: boolean; isAsync: boolean };
  gasHandler(state: RunState, gas: bigint, common: Common): bigint | Promise<bigint>;
  opHandler(state: RunState, common: Common): Handled;
}

interface Interpreter {
  _runState: RunState;
  _evm: { _opcodeMap: Opcode[]; DEBUG: boolean; events: { listenerCount(name: string): number } };
  common: Common;
  profilerOpts?: { enabled: boolean };
  useGas(gas: bigint, info: Opcode['opcodeInfo']): void;
  _getValidJumpDestinations(code: Uint8Array): { jumps: Uint8Array; pushes: Record<number, bigint> };
  run: Run;
  _runStepHook: Stepping['_runStepHook'];
}

type Run = (this: Interpreter, code: Uint8Array, options?: { pc?: number }) => Promise<{ runState: RunState; exceptionError: unknown }>;

interface Analysis {
  jumps: Uint8Array;
  pushes: Record<number, bigint>;
}

const ERROR_TYPE = 'EVMError';
/** EIPs whose code paths only the stock loop has. */
const STOCK_ONLY = [3540, 6800, 7864, 7928, 8024, 8037];

/** Jump destinations and push values by code: state gives the same array for the same code. */
const analyses = new WeakMap<Uint8Array, Analysis>();

function analyse(interpreter: Interpreter, code: Uint8Array): Analysis {
  const known = analyses.get(code);
  if (known !== undefined) return known;
  const { jumps, pushes } = interpreter._getValidJumpDestinations(code);
  const analysis = { jumps, pushes };
  analyses.set(code, analysis);
  return analysis;
}

/** Tracing, profiling and debugging want the stock loop's hooks. */
function needsStock(interpreter: Interpreter): boolean {
  const { _evm: evm, common, profilerOpts } = interpreter;
  if (evm.DEBUG || profilerOpts?.enabled === true || evm.events.listenerCount('step') > 0) return true;
  return STOCK_ONLY.some((eip) => common.isActivatedEIP(eip));
}

const knownFees = new WeakMap<Opcode[], Float64Array>();

function feesOf(opcodes: Opcode[]): Float64Array {
  const known = knownFees.get(opcodes);
  if (known !== undefined) return known;
  const fees = sprintFees(opcodes);
  knownFees.set(opcodes, fees);
  return fees;
}

/** Runs opcodes until something ends them; awaits only the ones that are asynchronous. */
async function loop(interpreter: Interpreter, code: Uint8Array): Promise<void> {
  const { _runState: state, common } = interpreter;
  const opcodes = interpreter._evm._opcodeMap;
  const { length } = code;
  const track = { code, jumps: state.validJumps, pushes: state.cachedPushes, fees: feesOf(opcodes) };
  for (;;) {
    sprint(state, track);
    if (state.programCounter >= length) return;
    const opCode = code[state.programCounter] as number;
    state.opCode = opCode;
    const opcode = opcodes[opCode] as Opcode;
    const info = opcode.opcodeInfo;
    let gas = info.feeBigInt;
    if (info.dynamicGas) {
      const dynamic = opcode.gasHandler(state, gas, common);
      gas = typeof dynamic === 'bigint' ? dynamic : await dynamic;
    }
    if (info.isInvalid) throw new EVMError(EVMError.errorMessages.INVALID_OPCODE);
    interpreter.useGas(gas, info);
    state.programCounter += 1;
    if (info.isAsync) await opcode.opHandler(state, common);
    else opcode.opHandler(state, common);
  }
}

function fastRun(stock: Run): Run {
  return async function run(code, options = {}) {
    if (needsStock(this) || (options.pc ?? 0) !== 0) return stock.call(this, code, options);
    const state = this._runState;
    const { jumps, pushes } = analyse(this, code);
    Object.assign(state, { code, validJumps: jumps, cachedPushes: pushes, shouldDoJumpAnalysis: false, programCounter: 0 });
    try {
      await loop(this, code);
    } catch (error) {
      const fault = error as { errorType?: string; error?: string };
      if (fault?.errorType !== ERROR_TYPE) throw error;
      if (fault.error !== EVMError.errorMessages.STOP) return { runState: state, exceptionError: error };
    }
    return { runState: state, exceptionError: undefined };
  };
}

const CAPTURE = 0x0c;
let installed: Promise<void> | undefined;

async function install(common: Common): Promise<void> {
  let found: Interpreter | undefined;
  const evm = await createEVM({
    common,
    customOpcodes: [
      {
        opcode: CAPTURE,
        opcodeName: 'CAPTURE',
        baseFee: 0,
        logicFunction: (state) => {
          found = Object.getPrototypeOf(state.interpreter) as Interpreter;
          installFastFrame(state as never);
        },
      },
    ],
  });
  await evm.runCode({ code: Uint8Array.of(CAPTURE) });
  if (found === undefined) throw new RangeError('the interpreter of @ethereumjs/evm was not found');
  found.run = fastRun(found.run);
  found._runStepHook = tellStep;
}

/**
 * Gives @ethereumjs/evm's interpreter a loop that awaits only asynchronous opcodes and analyses code once. Gas and
 * results are those of the stock loop (the Ethereum state tests run through it). Once per process.
 */
export function installFastInterpreter(common: Common): Promise<void> {
  installed ??= install(common);
  return installed;
}
