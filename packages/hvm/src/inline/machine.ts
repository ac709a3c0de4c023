import { growMemory, type Memory, memoryGas } from './memory.ts';
import type { TransactionState } from './transaction-state.ts';

/** What every frame of a transaction sees alike, as words of the EVM; addresses of accounts elsewhere are latin1. */
export interface Environment {
  origin: bigint;
  gasPrice: bigint;
  coinbase: bigint;
  timestamp: bigint;
  number: bigint;
  prevRandao: bigint;
  gasLimit: bigint;
  chainId: bigint;
  baseFee: bigint;
  /** Whether an address is that of a precompile, latin1. */
  isPrecompile(address: string): boolean;
}

/** One call while it runs. */
export interface Frame {
  code: Uint8Array;
  /** Whose storage and balance it works on, latin1. */
  address: string;
  caller: bigint;
  value: bigint;
  data: Uint8Array;
  isStatic: boolean;
  depth: number;
  gas: number;
  memory: Memory;
  stack: bigint[];
  /** Words on the stack, where compiled code ended. */
  size: number;
  /** What the last call it made gave back. */
  returned: Uint8Array;
  /** What it gives back. */
  output: Uint8Array;
}

/** What runs the frames of a transaction. */
export interface Machine {
  state: TransactionState;
  environment: Environment;
  /** After how many visits code is compiled where it is visited. */
  hotAt: number;
  /** Runs CALL, DELEGATECALL or STATICCALL of a frame whose stack ends at `top`. @returns whether there was enough gas. */
  call(opcode: number, frame: Frame, top: number): boolean;
}

/** `halted`: an exceptional halt, which takes all of the frame's gas. */
export type Outcome = 'done' | 'reverted' | 'halted';

/** Thrown where code wants what is not run inline; nothing has touched the state then. */
export const FOREIGN_OPCODE = new Error('this transaction is not one to be run inline');

const COLD_ADDRESS = 2600;
const WARM = 100;

/** Takes gas. @returns whether there was enough. */
export function charge(frame: Frame, gas: number): boolean {
  frame.gas -= gas;
  return frame.gas >= 0;
}

/** Pays for a range of memory and makes it. @returns whether there was enough gas. */
export function reach(frame: Frame, offset: number, size: number): boolean {
  const { memory } = frame;
  if (size === 0 || offset + size <= memory.words * 32) return true;
  if (!charge(frame, memoryGas(memory, offset, size))) return false;
  growMemory(memory, offset, size);
  return true;
}

/** Gas of an access to an account (EIP-2929). @throws {@link FOREIGN_OPCODE} for a precompile */
export function accessGas({ state, environment }: Machine, address: string): number {
  if (environment.isPrecompile(address)) throw FOREIGN_OPCODE;
  return state.warmAddress(address) ? COLD_ADDRESS : WARM;
}
