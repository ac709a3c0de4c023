import { type Log, toBigEndian } from '@hemid/protocol';
import type { Step } from './observation.ts';

const SLOAD = 0x54;
const SSTORE = 0x55;
const LOG0 = 0xa0;
const LOG4 = 0xa4;
const SELFDESTRUCT = 0xff;
/** Opcodes that name an account, and how far below the top of the stack it stands. */
const ACCOUNT_OPCODES = new Map([
  [0x31, 0],
  [0x3b, 0],
  [0x3c, 0],
  [0x3f, 0],
  [SELFDESTRUCT, 0],
  [0xf1, 1],
  [0xf2, 1],
  [0xf4, 1],
  [0xfa, 1],
]);
/** What a byte of a log costs: a step is told of before it is known whether its gas lasts. */
const GAS_PER_BYTE = 8n;
const ADDRESS_MASK = (1n << 160n) - 1n;

/** The account that an opcode is about to look at, call or pay. */
export function accountIn({ opcode, stack }: Step): Uint8Array | undefined {
  const depth = ACCOUNT_OPCODES.get(opcode);
  const word = depth === undefined ? undefined : stack.at(-1 - depth);
  return word === undefined ? undefined : toBigEndian(word & ADDRESS_MASK, 20);
}

/** The slot that SLOAD or SSTORE is about to touch. */
export function slotIn({ opcode, stack }: Step): Uint8Array | undefined {
  const top = stack.at(-1);
  return top !== undefined && (opcode === SLOAD || opcode === SSTORE) ? toBigEndian(top, 32) : undefined;
}

/** The word that SSTORE is about to write. */
export function storedIn({ opcode, stack }: Step): Uint8Array | undefined {
  return opcode === SSTORE ? toBigEndian(stack.at(-2) ?? 0n, 32) : undefined;
}

/** The log that LOG0 … LOG4 is about to write, if its gas lasts for as many bytes. */
export function logIn({ opcode, stack, memory, address, gas }: Step): Log | undefined {
  if (opcode < LOG0 || opcode > LOG4) return undefined;
  const top = (i: number): bigint => stack.at(-1 - i) ?? 0n;
  if (top(1) * GAS_PER_BYTE > gas) return undefined;
  const [offset, size] = [Number(top(0)), Number(top(1))];
  const data = new Uint8Array(size);
  data.set(memory.subarray(offset, offset + size));
  return { address, data, topics: Array.from({ length: opcode - LOG0 }, (_, i) => toBigEndian(top(2 + i), 32)) };
}

/** Who inherits from a contract that is about to destroy itself. */
export function heirIn(step: Step): Uint8Array | undefined {
  return step.opcode === SELFDESTRUCT ? accountIn(step) : undefined;
}
