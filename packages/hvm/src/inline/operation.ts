import { keccak } from '../state/keccak.ts';
import { fromLatin } from '../state/key.ts';
import { charge, type Frame, type Machine, reach } from './machine.ts';
import { copyToMemory, sliceMemory } from './memory.ts';
import type { TransactionState } from './transaction-state.ts';
import { addressWord, loadWord, saveWord, toWord, wordBytes } from './words.ts';

/* What opcodes do beyond arithmetic, for the interpreter and for compiled code alike. Offsets and sizes are words as numbers: what is too large for one to be exact costs more gas than there is. */

export const NOTHING = new Uint8Array();
const COLD_SLOT = 2100;
const WARM = 100;
const SET = 20_000;
const RESET = 2900;
const CLEAR_REFUND = 4800;
/** SSTORE wants more gas than a plain transfer gives the recipient (EIP-2200). */
const SENTRY = 2300;

const perWord = (size: number): number => 3 * Math.ceil(size / 32);

/** SLOAD (EIP-2929). Without enough gas the frame's is below zero. */
export function loadSlot(frame: Frame, state: TransactionState, key: bigint): bigint {
  const slot = state.slot(frame.address, key);
  frame.gas -= state.warmSlot(slot) ? COLD_SLOT : WARM;
  return slot.current;
}

/** SSTORE (EIP-2200, EIP-2929, EIP-3529). @returns whether it may be done. */
export function storeSlot(frame: Frame, state: TransactionState, { key, word }: { key: bigint; word: bigint }): boolean {
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

/** MLOAD. @returns `undefined` when there was not enough gas. */
export function loadMemory(frame: Frame, offset: number): bigint | undefined {
  return reach(frame, offset, 32) ? loadWord(frame.memory.view, offset) : undefined;
}

/** MSTORE. @returns whether there was enough gas. */
export function storeMemory(frame: Frame, offset: number, word: bigint): boolean {
  if (!reach(frame, offset, 32)) return false;
  saveWord(frame.memory.view, offset, word);
  return true;
}

/** KECCAK256. @returns `undefined` when there was not enough gas. */
export function hashMemory(frame: Frame, offset: number, size: number): bigint | undefined {
  if (!reach(frame, offset, size) || !charge(frame, 2 * perWord(size))) return undefined;
  return toWord(keccak(size === 0 ? NOTHING : frame.memory.bytes.subarray(offset, offset + size)));
}

/** LOG0 to LOG4. @returns whether there was enough gas. */
export function writeLog(frame: Frame, state: TransactionState, log: { offset: number; size: number; topics: readonly bigint[] }): boolean {
  const { offset, size, topics } = log;
  if (frame.isStatic || !reach(frame, offset, size) || !charge(frame, 8 * size)) return false;
  state.logs.push({ address: fromLatin(frame.address), topics: topics.map(wordBytes), data: sliceMemory(frame.memory, offset, size) });
  return true;
}

/** CALLDATACOPY, CODECOPY, EXTCODECOPY, RETURNDATACOPY. @returns whether there was enough gas. */
export function copy(frame: Frame, source: Uint8Array, { to, from, size }: { to: number; from: number; size: number }): boolean {
  if (!reach(frame, to, size) || !charge(frame, perWord(size))) return false;
  if (size > 0) copyToMemory(frame.memory, to, source, { from, size });
  return true;
}

/** MCOPY. @returns whether there was enough gas. */
export function moveMemory(frame: Frame, { to, from, size }: { to: number; from: number; size: number }): boolean {
  if (!reach(frame, Math.max(from, to), size) || !charge(frame, perWord(size))) return false;
  if (size > 0) frame.memory.bytes.copyWithin(to, from, from + size);
  return true;
}

/** CALLDATALOAD: zeros where the data end. */
export function loadData({ data }: Frame, offset: number): bigint {
  if (offset >= data.length) return 0n;
  const part = data.subarray(offset, offset + 32);
  return part.length === 32 ? toWord(part) : toWord(part) << BigInt((32 - part.length) * 8);
}

/** The opcodes that push one word and take none, but PUSH. */
export function ask(opcode: number, frame: Frame, { state, environment }: Machine): bigint {
  switch (opcode) {
    case 0x30:
      return addressWord(frame.address);
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
    case 0x59:
      return BigInt(frame.memory.words * 32);
    default:
      return BigInt(frame.gas);
  }
}
