import type { SimulationResult } from '@hemid/hvm';
import { equal, fromBigEndian, fromHex, type HemidError, toHex } from '@hemid/protocol';
import { fail } from './errors.ts';

/** Geth's words for the EVM's failures; libraries match some of them. */
const GETH_WORDS: Record<string, string> = {
  'code store out of gas': 'contract creation code storage out of gas',
  'code size to deposit exceeds maximum code size': 'max code size exceeded',
  'stack overflow': 'stack limit reached 1024 (1023)',
  'invalid JUMP': 'invalid jump destination',
  'invalid opcode': 'invalid opcode: INVALID',
  'value out of range': 'return data out of bounds',
  'static state change': 'write protection',
  'create collision': 'contract address collision',
  'insufficient balance': 'insufficient balance for transfer',
  'invalid bytecode deployed': 'invalid code: must not begin with 0xef',
  'initcode exceeds max initcode size': 'max initcode size exceeded',
};

/** Meaning of Solidity's panic codes, as geth says it. */
const PANICS: Record<string, string> = {
  0: 'generic panic',
  1: 'assert(false)',
  17: 'arithmetic underflow or overflow',
  18: 'division or modulo by zero',
  33: 'enum overflow',
  34: 'invalid encoded storage byte array accessed',
  49: 'out-of-bounds array access; popping on an empty array',
  50: 'out-of-bounds access of an array or bytesN',
  65: 'out of memory',
  81: 'uninitialized function',
};

const ERROR_SELECTOR = fromHex('08c379a0');
const PANIC_SELECTOR = fromHex('4e487b71');
const WORD = 32;

/** The text of `Error(string)` or the meaning of `Panic(uint256)`; `undefined` for any other revert data. */
export function readRevertReason(output: Uint8Array): string | undefined {
  const selector = output.subarray(0, 4);
  const body = output.subarray(4);
  if (equal(selector, PANIC_SELECTOR) && body.length === WORD) {
    const code = fromBigEndian(body);
    return PANICS[code.toString()] ?? `unknown panic code: 0x${code.toString(16)}`;
  }
  if (!equal(selector, ERROR_SELECTOR) || body.length < 2 * WORD) return undefined;
  const length = fromBigEndian(body.subarray(WORD, 2 * WORD));
  if (fromBigEndian(body.subarray(0, WORD)) !== BigInt(WORD) || length > BigInt(body.length - 2 * WORD)) return undefined;
  return new TextDecoder().decode(body.subarray(2 * WORD, 2 * WORD + Number(length)));
}

/** The EVM's words for a failure as geth says them. */
export const gethWords = (error: string): string => GETH_WORDS[error] ?? error;

/** The error of a call that did not succeed: `rpc/reverted` with its data, or `rpc/execution-failed`. */
export function toCallError({ reverted, output, error }: SimulationResult): HemidError {
  if (!reverted) return fail('rpc/execution-failed', GETH_WORDS[error ?? ''] ?? error ?? 'execution failed');
  const reason = readRevertReason(output);
  const message = reason === undefined ? 'execution reverted' : `execution reverted: ${reason}`;
  return fail('rpc/reverted', message, { details: { data: toHex(output) } });
}
