import type { Account } from '@ethereumjs/util';
import { runFrame } from './frame.ts';
import { accessGas, charge, FOREIGN_OPCODE, type Frame, type Machine, type Outcome, reach } from './machine.ts';
import { clearMemory, createMemory, type Memory, sliceMemory } from './memory.ts';
import { NOTHING } from './operation.ts';
import { addressLatin, addressWord } from './words.ts';

const CALL = 0xf1;
const DELEGATECALL = 0xf4;
const STATICCALL = 0xfa;
const VALUE_GAS = 9000;
const NEW_ACCOUNT_GAS = 25_000;
const STIPEND = 2300;
/** Deeper calls are left to the stock machine: this one runs on JavaScript's stack. */
const MAX_DEPTH = 128;

/** Stacks and memories by depth: one frame at each depth at a time. */
const rooms: { stack: bigint[]; memory: Memory }[] = [];

/** What the frame at a depth works in: its memory is empty, and what others left on the stack is never read. */
function roomAt(depth: number): { stack: bigint[]; memory: Memory } {
  rooms[depth] ??= { stack: new Array<bigint>(1024).fill(0n), memory: createMemory() };
  return rooms[depth];
}

/** A call, as it enters a frame. */
export type CallInput = Pick<Frame, 'address' | 'code' | 'caller' | 'value' | 'data' | 'isStatic' | 'depth' | 'gas'>;

/** Runs code in a frame of its own. What it did stays unless it ends `done`. */
export function runCode(input: CallInput, machine: Machine): { outcome: Outcome; frame: Frame } {
  const { stack, memory } = roomAt(input.depth);
  const { address, code, caller, value, data, isStatic, depth, gas } = input;
  // Field by field: spreading costs ten times as much.
  const frame: Frame = { code, address, caller, value, data, isStatic, depth, gas, memory, stack, size: 0, returned: NOTHING, output: NOTHING };
  try {
    return { outcome: runFrame(frame, machine), frame };
  } finally {
    clearMemory(memory);
  }
}

/** Code that a call may enter here: none of a delegation (EIP-7702), whose gas is another. @throws {@link FOREIGN_OPCODE} */
export function enterableCode(account: Readonly<Account> | undefined, code: Uint8Array): Uint8Array {
  // Calling an empty account would delete it (EIP-161).
  if (account?.isEmpty() === true || code[0] === 0xef) throw FOREIGN_OPCODE;
  return code;
}

/** CALL, DELEGATECALL, STATICCALL; the result replaces the deepest operand. @returns whether there was enough gas. */
export function runCall(opcode: number, frame: Frame, machine: Machine, top: number): boolean {
  const { state } = machine;
  const { stack } = frame;
  const own = opcode === CALL ? top - 2 : top - 1;
  const value = opcode === CALL ? (stack[own] as bigint) : 0n;
  const [inAt, inSize, outAt, outSize] = [Number(stack[own - 1]), Number(stack[own - 2]), Number(stack[own - 3]), Number(stack[own - 4])];
  if (frame.isStatic && value > 0n) return false;
  if (!reach(frame, inAt, inSize) || !reach(frame, outAt, outSize)) return false;
  const to = addressLatin(stack[top - 1] as bigint);
  if (frame.depth >= MAX_DEPTH) throw FOREIGN_OPCODE;
  if (!charge(frame, accessGas(machine, to))) return false;
  const account = state.account(to);
  const code = enterableCode(account, state.code(to));
  const isNew = account === undefined && state.balance(to) === 0n;
  if (value > 0n && !charge(frame, VALUE_GAS + (isNew ? NEW_ACCOUNT_GAS : 0))) return false;

  const most = frame.gas - Math.floor(frame.gas / 64);
  const wanted = stack[top] as bigint;
  const passed = wanted < most ? Number(wanted) : most;
  frame.gas -= passed;
  const gas = passed + (value > 0n ? STIPEND : 0);
  const result = own - 4;
  frame.returned = NOTHING;
  if (value > state.balance(frame.address)) {
    frame.gas += gas;
    stack[result] = 0n;
    return true;
  }
  const mark = state.mark();
  if (value > 0n) state.move(frame.address, to, value);
  if (code.length === 0) {
    frame.gas += gas;
    stack[result] = 1n;
    return true;
  }
  const data = sliceMemory(frame.memory, inAt, inSize);
  const isDelegate = opcode === DELEGATECALL;
  const { outcome, frame: callee } = runCode(
    {
      address: isDelegate ? frame.address : to,
      code,
      caller: isDelegate ? frame.caller : addressWord(frame.address),
      value: isDelegate ? frame.value : value,
      data,
      isStatic: frame.isStatic || opcode === STATICCALL,
      depth: frame.depth + 1,
      gas,
    },
    machine,
  );
  if (outcome !== 'done') state.revert(mark);
  if (outcome !== 'halted') frame.gas += callee.gas;
  frame.returned = outcome === 'halted' ? NOTHING : callee.output;
  const copied = Math.min(outSize, frame.returned.length);
  if (copied > 0) frame.memory.bytes.set(frame.returned.subarray(0, copied), outAt);
  stack[result] = outcome === 'done' ? 1n : 0n;
  return true;
}
