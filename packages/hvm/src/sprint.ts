/*
 * The opcodes that touch nothing but the stack, the program counter and memory that is already there: run in one
 * synchronous stretch, gas counted as a number. Whatever is unusual about one of them (too little gas, stack too short or
 * too long, a bad jump, memory to be extended) ends the stretch before it, and the stock handler has the word.
 */

/** What this file knows of the state of a frame of @ethereumjs/evm 10.1.3. */
export interface SprintState {
  programCounter: number;
  gasLeft: bigint;
  memoryWordCount: bigint;
  memory: { _store: Uint8Array };
  stack: { _store: bigint[]; _len: number };
}

/** A frame's code and what is known of it. */
export interface Track {
  code: Uint8Array;
  jumps: Uint8Array;
  pushes: Record<number, bigint>;
  /** Gas of each opcode that may be run here; -1 for the others. */
  fees: Float64Array;
}

const LIMIT = 1024;
const MAX_MEMORY = 1n << 32n;

/** Opcodes that {@link sprint} knows, apart from PUSH, DUP and SWAP; MLOAD and MSTORE have a gas handler. */
const KNOWN = [0x01, 0x02, 0x03, 0x10, 0x11, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1b, 0x1c, 0x50, 0x51, 0x52, 0x56, 0x57, 0x5b];
const MEMORY = [0x51, 0x52];

/** Gas by opcode for {@link Track}, of an opcode table. */
export function sprintFees(opcodes: readonly { opcodeInfo: { feeBigInt: bigint; dynamicGas: boolean; isInvalid: boolean } }[]): Float64Array {
  const fees = new Float64Array(256).fill(-1);
  const rest = Array.from({ length: 0xa0 - 0x5f }, (_, i) => 0x5f + i);
  for (const opcode of [...KNOWN, ...rest]) {
    const info = opcodes[opcode]?.opcodeInfo;
    if (info === undefined || info.isInvalid || info.dynamicGas !== MEMORY.includes(opcode)) continue;
    fees[opcode] = Number(info.feeBigInt);
  }
  return fees;
}

function load(store: Uint8Array, at: number): bigint {
  const view = new DataView(store.buffer, store.byteOffset + at, 32);
  const high = (view.getBigUint64(0) << 64n) | view.getBigUint64(8);
  const low = (view.getBigUint64(16) << 64n) | view.getBigUint64(24);
  return high === 0n ? low : (high << 128n) | low;
}

function save(store: Uint8Array, at: number, word: bigint): void {
  const view = new DataView(store.buffer, store.byteOffset + at, 32);
  if (word < MAX_MEMORY) {
    store.fill(0, at, at + 28);
    view.setUint32(28, Number(word));
    return;
  }
  view.setBigUint64(0, word >> 192n);
  view.setBigUint64(8, word >> 128n);
  view.setBigUint64(16, word >> 64n);
  view.setBigUint64(24, word);
}

/** The offset of a word of memory that is there already, or -1. */
function offsetOf(offset: bigint, { memory, memoryWordCount }: SprintState): number {
  if (offset >= MAX_MEMORY) return -1;
  const at = Number(offset);
  return at + 32 <= Number(memoryWordCount) * 32 && at + 32 <= memory._store.length ? at : -1;
}

const bit = (value: boolean): bigint => (value ? 1n : 0n);

/** The result of an opcode with two operands, `a` the top of the stack; `undefined` for other opcodes. */
function combine(opcode: number, a: bigint, b: bigint): bigint | undefined {
  switch (opcode) {
    case 0x01:
      return BigInt.asUintN(256, a + b);
    case 0x02:
      return BigInt.asUintN(256, a * b);
    case 0x03:
      return BigInt.asUintN(256, a - b);
    case 0x10:
      return bit(a < b);
    case 0x11:
      return bit(a > b);
    case 0x14:
      return bit(a === b);
    case 0x16:
      return a & b;
    case 0x17:
      return a | b;
    case 0x18:
      return a ^ b;
    case 0x1b:
      return a >= 256n ? 0n : BigInt.asUintN(256, b << a);
    case 0x1c:
      return a >= 256n ? 0n : b >> a;
    default:
      return undefined;
  }
}

/** Runs opcodes from the program counter on, as far as they are of this kind. */
export function sprint(state: SprintState, { code, jumps, pushes, fees }: Track): void {
  const { stack } = state;
  const items = stack._store;
  const { length } = code;
  const limit = state.gasLeft > 9_007_199_254_740_991n ? 9_007_199_254_740_991 : Number(state.gasLeft);
  let pc = state.programCounter;
  let size = stack._len;
  let spent = 0;
  while (pc < length) {
    const opcode = code[pc] as number;
    const fee = fees[opcode] as number;
    if (fee < 0 || spent + fee > limit) break;
    if (opcode >= 0x5f) {
      if (opcode <= 0x7f) {
        if (size >= LIMIT) break;
        items[size] = opcode === 0x5f ? 0n : (pushes[pc + 1] as bigint);
        size += 1;
        pc += opcode - 0x5f;
      } else if (opcode <= 0x8f) {
        const depth = opcode - 0x7f;
        if (size < depth || size >= LIMIT) break;
        items[size] = items[size - depth] as bigint;
        size += 1;
      } else {
        const other = size - 1 - (opcode - 0x8f);
        if (other < 0) break;
        const top = items[size - 1] as bigint;
        items[size - 1] = items[other] as bigint;
        items[other] = top;
      }
    } else if (opcode === 0x5b) {
      // JUMPDEST
    } else if (opcode === 0x50) {
      if (size < 1) break;
      size -= 1;
    } else if (opcode === 0x57) {
      if (size < 2) break;
      if (items[size - 2] !== 0n) {
        const to = items[size - 1] as bigint;
        if (to >= length || jumps[Number(to)] !== 1) break;
        pc = Number(to) - 1;
      }
      size -= 2;
    } else if (opcode === 0x56) {
      const to = size < 1 ? BigInt(length) : (items[size - 1] as bigint);
      if (to >= length || jumps[Number(to)] !== 1) break;
      size -= 1;
      pc = Number(to) - 1;
    } else if (opcode === 0x15 || opcode === 0x19) {
      if (size < 1) break;
      const value = items[size - 1] as bigint;
      items[size - 1] = opcode === 0x15 ? bit(value === 0n) : BigInt.asUintN(256, ~value);
    } else if (opcode === 0x51) {
      const at = size < 1 ? -1 : offsetOf(items[size - 1] as bigint, state);
      if (at < 0) break;
      items[size - 1] = load(state.memory._store, at);
    } else if (opcode === 0x52) {
      const at = size < 2 ? -1 : offsetOf(items[size - 1] as bigint, state);
      if (at < 0) break;
      save(state.memory._store, at, items[size - 2] as bigint);
      size -= 2;
    } else {
      if (size < 2) break;
      const result = combine(opcode, items[size - 1] as bigint, items[size - 2] as bigint);
      if (result === undefined) break;
      size -= 1;
      items[size - 1] = result;
    }
    pc += 1;
    spent += fee;
  }
  state.programCounter = pc;
  stack._len = size;
  if (spent > 0) state.gasLeft -= BigInt(spent);
}
