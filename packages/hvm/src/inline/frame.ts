import { keccak } from '../state/keccak.ts';
import { combine } from './arithmetic.ts';
import { analyseCode } from './code-analysis.ts';
import { accessGas, charge, FOREIGN_OPCODE, type Frame, type Machine, type Outcome, reach } from './machine.ts';
import { copyToMemory, sliceMemory } from './memory.ts';
import { FEES, FOREIGN, GROWTH, POPS } from './opcode-table.ts';
import type { TransactionState } from './transaction-state.ts';
import { addressLatin, byteLength, leadingZeros, loadWord, power, saveWord, toWord, wordBytes, wrapped } from './words.ts';

const NOTHING = new Uint8Array();
const MAX_STACK = 1024;
const COLD_SLOT = 2100;
const WARM = 100;
const SET = 20_000;
const RESET = 2900;
const CLEAR_REFUND = 4800;
/** SSTORE wants more gas than a plain transfer gives the recipient (EIP-2200). */
const SENTRY = 2300;

const perWord = (size: bigint): number => 3 * Math.ceil(Number(size) / 32);

function load({ address, stack }: Frame, state: TransactionState, top: number): number {
  const slot = state.slot(address, stack[top] as bigint);
  stack[top] = slot.current;
  return state.warmSlot(slot) ? COLD_SLOT : WARM;
}

/** SSTORE (EIP-2200, EIP-2929, EIP-3529). @returns whether it may be done. */
function store(frame: Frame, state: TransactionState, key: bigint, word: bigint): boolean {
  if (frame.isStatic || frame.gas <= SENTRY) return false;
  const slot = state.slot(frame.address, key);
  const cold = state.warmSlot(slot) ? COLD_SLOT : 0;
  const { original, current } = slot;
  const isFirst = original === current && word !== current;
  if (!charge(frame, cold + (isFirst ? (original === 0n ? SET : RESET) : WARM))) return false;
  if (word === current) return true;
  if (isFirst) {
    if (word === 0n) state.refund += CLEAR_REFUND;
  } else {
    if (original !== 0n && current === 0n) state.refund -= CLEAR_REFUND;
    if (original !== 0n && word === 0n) state.refund += CLEAR_REFUND;
    if (word === original) state.refund += original === 0n ? SET - WARM : RESET - WARM;
  }
  state.setSlot(slot, word);
  return true;
}

/** LOG0 to LOG4. @returns whether there was enough gas. */
function log(frame: Frame, state: TransactionState, topics: number, top: number): boolean {
  const { stack } = frame;
  const [offset, size] = [stack[top] as bigint, stack[top - 1] as bigint];
  if (frame.isStatic || !reach(frame, offset, size) || !charge(frame, 8 * Number(size))) return false;
  const words = Array.from({ length: topics }, (_, i) => wordBytes(stack[top - 2 - i] as bigint));
  const address = new Uint8Array(Buffer.from(frame.address, 'latin1'));
  state.logs.push({ address, topics: words, data: sliceMemory(frame.memory, offset, size) });
  return true;
}

/** CALLDATACOPY, CODECOPY, EXTCODECOPY: `top` is the offset in memory. @returns whether there was enough gas. */
function copy(frame: Frame, source: Uint8Array, top: number): boolean {
  const [to, from, size] = [frame.stack[top] as bigint, frame.stack[top - 1] as bigint, frame.stack[top - 2] as bigint];
  if (!reach(frame, to, size) || !charge(frame, perWord(size))) return false;
  if (size > 0n) copyToMemory(frame.memory, Number(to), source, { from, size: Number(size) });
  return true;
}

function hashOfCode(state: TransactionState, address: string): bigint {
  const account = state.account(address);
  if (account === undefined) return state.balance(address) === 0n ? 0n : toWord(keccak(NOTHING));
  return account.isEmpty() && state.balance(address) === 0n ? 0n : toWord(account.codeHash);
}

/** The opcodes that push one word and take none, but PUSH. */
function ask(opcode: number, frame: Frame, { state, environment }: Machine, pc: number): bigint {
  switch (opcode) {
    case 0x30:
      return toWord(Buffer.from(frame.address, 'latin1'));
    case 0x32:
      return environment.origin;
    case 0x33:
      return frame.caller;
    case 0x34:
      return frame.value;
    case 0x36:
      return BigInt(frame.data.length);
    case 0x38:
      return BigInt(frame.code.length);
    case 0x3a:
      return environment.gasPrice;
    case 0x3d:
      return BigInt(frame.returned.length);
    case 0x41:
      return environment.coinbase;
    case 0x42:
      return environment.timestamp;
    case 0x43:
      return environment.number;
    case 0x44:
      return environment.prevRandao;
    case 0x45:
      return environment.gasLimit;
    case 0x46:
      return environment.chainId;
    case 0x47:
      return state.balance(frame.address);
    case 0x48:
      return environment.baseFee;
    case 0x58:
      return BigInt(pc);
    case 0x59:
      return BigInt(frame.memory.words * 32);
    default:
      return BigInt(frame.gas);
  }
}

/** Runs a frame to its end, by the Osaka rules. @throws {@link FOREIGN_OPCODE} */
export function runFrame(frame: Frame, machine: Machine): Outcome {
  const { code, stack, memory } = frame;
  const { state } = machine;
  const { jumps, pushes } = analyseCode(code);
  let size = 0;
  for (let pc = 0; ; pc += 1) {
    const opcode = pc < code.length ? (code[pc] as number) : 0;
    if (size < (POPS[opcode] as number) || size + (GROWTH[opcode] as number) > MAX_STACK) return 'halted';
    frame.gas -= FEES[opcode] as number;
    if (frame.gas < 0) return 'halted';
    if (opcode >= 0x60 && opcode <= 0x7f) {
      stack[size] = pushes[pc] as bigint;
      size += 1;
      pc += opcode - 0x5f;
      continue;
    }
    if (opcode >= 0x80 && opcode <= 0x8f) {
      stack[size] = stack[size - (opcode - 0x7f)] as bigint;
      size += 1;
      continue;
    }
    if (opcode >= 0x90 && opcode <= 0x9f) {
      const other = size - 1 - (opcode - 0x8f);
      const word = stack[size - 1] as bigint;
      stack[size - 1] = stack[other] as bigint;
      stack[other] = word;
      continue;
    }
    const top = size - 1;
    switch (opcode) {
      case 0x00:
        return 'done';
      case 0x08:
      case 0x09: {
        const [a, b, n] = [stack[top] as bigint, stack[top - 1] as bigint, stack[top - 2] as bigint];
        stack[top - 2] = n === 0n ? 0n : (opcode === 0x08 ? a + b : a * b) % n;
        break;
      }
      case 0x0a: {
        const exponent = stack[top - 1] as bigint;
        if (!charge(frame, 50 * byteLength(exponent))) return 'halted';
        stack[top - 1] = power(stack[top] as bigint, exponent);
        break;
      }
      case 0x15:
        stack[top] = stack[top] === 0n ? 1n : 0n;
        break;
      case 0x19:
        stack[top] = wrapped(~(stack[top] as bigint));
        break;
      case 0x1e:
        stack[top] = leadingZeros(stack[top] as bigint);
        break;
      case 0x20: {
        const [offset, length] = [stack[top] as bigint, stack[top - 1] as bigint];
        if (!reach(frame, offset, length) || !charge(frame, 2 * perWord(length))) return 'halted';
        const from = length === 0n ? 0 : Number(offset);
        stack[top - 1] = toWord(keccak(memory.bytes.subarray(from, from + Number(length))));
        break;
      }
      case 0x31: {
        const address = addressLatin(stack[top] as bigint);
        if (!charge(frame, accessGas(machine, address))) return 'halted';
        stack[top] = state.balance(address);
        break;
      }
      case 0x35: {
        const from = stack[top] as bigint;
        const part = from >= frame.data.length ? NOTHING : frame.data.subarray(Number(from), Number(from) + 32);
        stack[top] = toWord(part) << BigInt((32 - part.length) * 8);
        break;
      }
      case 0x37:
        if (!copy(frame, frame.data, top)) return 'halted';
        break;
      case 0x39:
        if (!copy(frame, code, top)) return 'halted';
        break;
      case 0x3b: {
        const address = addressLatin(stack[top] as bigint);
        if (!charge(frame, accessGas(machine, address))) return 'halted';
        stack[top] = BigInt(state.code(address).length);
        break;
      }
      case 0x3c: {
        const address = addressLatin(stack[top] as bigint);
        if (!charge(frame, accessGas(machine, address)) || !copy(frame, state.code(address), top - 1)) return 'halted';
        break;
      }
      case 0x3e: {
        if ((stack[top - 1] as bigint) + (stack[top - 2] as bigint) > frame.returned.length) return 'halted';
        if (!copy(frame, frame.returned, top)) return 'halted';
        break;
      }
      case 0x3f: {
        const address = addressLatin(stack[top] as bigint);
        if (!charge(frame, accessGas(machine, address))) return 'halted';
        stack[top] = hashOfCode(state, address);
        break;
      }
      case 0x50:
      case 0x5b:
        break;
      case 0x51: {
        const offset = stack[top] as bigint;
        if (!reach(frame, offset, 32n)) return 'halted';
        stack[top] = loadWord(memory.view, Number(offset));
        break;
      }
      case 0x52: {
        const offset = stack[top] as bigint;
        if (!reach(frame, offset, 32n)) return 'halted';
        saveWord(memory.view, Number(offset), stack[top - 1] as bigint);
        break;
      }
      case 0x53: {
        const offset = stack[top] as bigint;
        if (!reach(frame, offset, 1n)) return 'halted';
        memory.bytes[Number(offset)] = Number((stack[top - 1] as bigint) & 0xffn);
        break;
      }
      case 0x54:
        if (!charge(frame, load(frame, state, top))) return 'halted';
        break;
      case 0x55:
        if (!store(frame, state, stack[top] as bigint, stack[top - 1] as bigint)) return 'halted';
        break;
      case 0x56: {
        const to = stack[top] as bigint;
        if (to >= code.length || jumps[Number(to)] !== 1) return 'halted';
        pc = Number(to) - 1;
        break;
      }
      case 0x57: {
        if (stack[top - 1] === 0n) break;
        const to = stack[top] as bigint;
        if (to >= code.length || jumps[Number(to)] !== 1) return 'halted';
        pc = Number(to) - 1;
        break;
      }
      case 0x5c:
        stack[top] = state.transient(frame.address, stack[top] as bigint);
        break;
      case 0x5d:
        if (frame.isStatic) return 'halted';
        state.setTransient(frame.address, stack[top] as bigint, stack[top - 1] as bigint);
        break;
      case 0x5e: {
        const [to, from, length] = [stack[top] as bigint, stack[top - 1] as bigint, stack[top - 2] as bigint];
        if (!reach(frame, from > to ? from : to, length) || !charge(frame, perWord(length))) return 'halted';
        if (length > 0n) memory.bytes.copyWithin(Number(to), Number(from), Number(from + length));
        break;
      }
      case 0x5f:
        stack[size] = 0n;
        break;
      case 0xa0:
      case 0xa1:
      case 0xa2:
      case 0xa3:
      case 0xa4:
        if (!log(frame, state, opcode - 0xa0, top)) return 'halted';
        break;
      case 0xf1:
      case 0xf4:
      case 0xfa:
        if (!machine.call(opcode, frame, top)) return 'halted';
        break;
      case 0xf3:
      case 0xfd: {
        const [offset, length] = [stack[top] as bigint, stack[top - 1] as bigint];
        if (!reach(frame, offset, length)) return 'halted';
        frame.output = sliceMemory(memory, offset, length);
        return opcode === 0xf3 ? 'done' : 'reverted';
      }
      default:
        if (FOREIGN[opcode] === 1) throw FOREIGN_OPCODE;
        if (opcode < 0x1e) stack[top - 1] = combine(opcode, stack[top] as bigint, stack[top - 1] as bigint);
        else stack[size] = ask(opcode, frame, machine, pc);
    }
    size += GROWTH[opcode] as number;
  }
}
