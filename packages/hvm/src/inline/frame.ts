import { keccak } from '../state/keccak.ts';
import { combine } from './arithmetic.ts';
import { analyseCode } from './code-analysis.ts';
import { accessGas, charge, FOREIGN_OPCODE, type Frame, type Machine, type Outcome, reach } from './machine.ts';
import { sliceMemory } from './memory.ts';
import { FEES, FOREIGN, GROWTH, MAX_STACK, POPS } from './opcode-table.ts';
import { ask, copy, hashMemory, loadData, loadMemory, loadSlot, moveMemory, NOTHING, storeMemory, storeSlot, writeLog } from './operation.ts';
import { regionAt } from './region.ts';
import type { TransactionState } from './transaction-state.ts';
import { addressLatin, byteLength, leadingZeros, power, toWord, wrapped } from './words.ts';

function hashOfCode(state: TransactionState, address: string): bigint {
  const account = state.account(address);
  if (account === undefined) return state.balance(address) === 0n ? 0n : toWord(keccak(NOTHING));
  return account.isEmpty() && state.balance(address) === 0n ? 0n : toWord(account.codeHash);
}

/** The offsets and sizes that a copying opcode takes from the stack, `to` at its top. */
function rangeOf(stack: readonly bigint[], top: number): { to: number; from: number; size: number } {
  return { to: Number(stack[top]), from: Number(stack[top - 1]), size: Number(stack[top - 2]) };
}

/** Runs a frame to its end, by the Osaka rules. @throws {@link FOREIGN_OPCODE} */
export function runFrame(frame: Frame, machine: Machine): Outcome {
  const { code, stack, memory } = frame;
  const { state } = machine;
  const analysis = analyseCode(code);
  const { jumps, pushes } = analysis;
  let size = 0;
  let mayEnter = true;
  for (let pc = 0; ; pc += 1) {
    if (mayEnter) {
      const region = regionAt(analysis, pc, machine.hotAt);
      if (region !== undefined && size >= region.takes && size + region.grows <= MAX_STACK) {
        const next = region.run(frame, machine, size);
        if (next < 0) return 'halted';
        pc = next - 1;
        size = frame.size;
        continue;
      }
      mayEnter = false;
    }
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
        const hash = hashMemory(frame, Number(stack[top]), Number(stack[top - 1]));
        if (hash === undefined) return 'halted';
        stack[top - 1] = hash;
        break;
      }
      case 0x31: {
        const address = addressLatin(stack[top] as bigint);
        if (!charge(frame, accessGas(machine, address))) return 'halted';
        stack[top] = state.balance(address);
        break;
      }
      case 0x35:
        stack[top] = loadData(frame, Number(stack[top]));
        break;
      case 0x37:
        if (!copy(frame, frame.data, rangeOf(stack, top))) return 'halted';
        break;
      case 0x39:
        if (!copy(frame, code, rangeOf(stack, top))) return 'halted';
        break;
      case 0x3b: {
        const address = addressLatin(stack[top] as bigint);
        if (!charge(frame, accessGas(machine, address))) return 'halted';
        stack[top] = BigInt(state.code(address).length);
        break;
      }
      case 0x3c: {
        const address = addressLatin(stack[top] as bigint);
        if (!charge(frame, accessGas(machine, address)) || !copy(frame, state.code(address), rangeOf(stack, top - 1))) return 'halted';
        break;
      }
      case 0x3e: {
        const range = rangeOf(stack, top);
        if (range.from + range.size > frame.returned.length || !copy(frame, frame.returned, range)) return 'halted';
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
        const word = loadMemory(frame, Number(stack[top]));
        if (word === undefined) return 'halted';
        stack[top] = word;
        break;
      }
      case 0x52:
        if (!storeMemory(frame, Number(stack[top]), stack[top - 1] as bigint)) return 'halted';
        break;
      case 0x53: {
        const offset = Number(stack[top]);
        if (!reach(frame, offset, 1)) return 'halted';
        memory.bytes[offset] = Number((stack[top - 1] as bigint) & 0xffn);
        break;
      }
      case 0x54:
        stack[top] = loadSlot(frame, state, stack[top] as bigint);
        if (frame.gas < 0) return 'halted';
        break;
      case 0x55:
        if (!storeSlot(frame, state, { key: stack[top] as bigint, word: stack[top - 1] as bigint })) return 'halted';
        break;
      case 0x56:
      case 0x57: {
        mayEnter = true;
        if (opcode === 0x57 && stack[top - 1] === 0n) break;
        const to = Number(stack[top]);
        if (jumps[to] !== 1) return 'halted';
        pc = to - 1;
        break;
      }
      case 0x58:
        stack[size] = BigInt(pc);
        break;
      case 0x5c:
        stack[top] = state.transient(frame.address, stack[top] as bigint);
        break;
      case 0x5d:
        if (frame.isStatic) return 'halted';
        state.setTransient(frame.address, stack[top] as bigint, stack[top - 1] as bigint);
        break;
      case 0x5e:
        if (!moveMemory(frame, rangeOf(stack, top))) return 'halted';
        break;
      case 0x5f:
        stack[size] = 0n;
        break;
      case 0xa0:
      case 0xa1:
      case 0xa2:
      case 0xa3:
      case 0xa4: {
        const topics = Array.from({ length: opcode - 0xa0 }, (_, i) => stack[top - 2 - i] as bigint);
        if (!writeLog(frame, state, { offset: Number(stack[top]), size: Number(stack[top - 1]), topics })) return 'halted';
        break;
      }
      case 0xf1:
      case 0xf4:
      case 0xfa:
        if (!machine.call(opcode, frame, top)) return 'halted';
        mayEnter = true;
        break;
      case 0xf3:
      case 0xfd: {
        const [offset, length] = [Number(stack[top]), Number(stack[top - 1])];
        if (!reach(frame, offset, length)) return 'halted';
        frame.output = sliceMemory(memory, offset, length);
        return opcode === 0xf3 ? 'done' : 'reverted';
      }
      default:
        if (FOREIGN[opcode] === 1) throw FOREIGN_OPCODE;
        if (opcode < 0x1e) stack[top - 1] = combine(opcode, stack[top] as bigint, stack[top - 1] as bigint);
        else stack[size] = ask(opcode, frame, machine);
    }
    size += GROWTH[opcode] as number;
  }
}
