import { keccak_256 } from '@noble/hashes/sha3.js';
import type { BitcoinOutput } from './bitcoin-transaction.ts';
import { concat, equal, fromBigEndian, toBigEndian } from './bytes.ts';
import { readPush } from './pop-script.ts';

/** Requests that one batch of withdrawals pays at most. */
export const MAX_COUNT = 64;

const OP_RETURN = 0x6a;
const MAGIC = new TextEncoder().encode('HEMW');
/** "HEMW" ‖ firstId u64 ‖ count u16. */
const MARK_SIZE = 14;
/** Of the script of an output in a batch: its length is hashed as 16 bits. */
const MAX_SCRIPT = 0xffff;

/** The script of a batch's last output: "HEMW" ‖ firstId ‖ count. */
export function encodeMark(firstId: bigint, count: number): Uint8Array {
  const data = concat(MAGIC, toBigEndian(firstId, 8), toBigEndian(count, 2));
  return concat(Uint8Array.of(OP_RETURN, data.length), data);
}

/** The batch that the last output names (protocol section 10), or `undefined`. */
export function readMark(outputs: readonly Pick<BitcoinOutput, 'script'>[]): { firstId: bigint; count: number } | undefined {
  const script = outputs[outputs.length - 1]?.script;
  if (script?.[0] !== OP_RETURN) return undefined;
  const push = readPush(script.subarray(1));
  if (push === undefined || push.rest.length > 0 || push.data.length !== MARK_SIZE) return undefined;
  if (!equal(push.data.subarray(0, 4), MAGIC)) return undefined;
  const count = Number(fromBigEndian(push.data.subarray(12, 14)));
  if (count > MAX_COUNT || count > outputs.length) return undefined;
  if (outputs.slice(0, count).some((output) => output.script.length > MAX_SCRIPT)) return undefined;
  return { firstId: fromBigEndian(push.data.subarray(4, 12)), count };
}

/** keccak256 over (sats u64 ‖ script length u16 ‖ script) of the outputs that pay a batch's requests. */
export function hashPayments(outputs: readonly BitcoinOutput[]): Uint8Array {
  const parts = outputs.map(({ valueSats, script }) => concat(toBigEndian(valueSats, 8), toBigEndian(script.length, 2), script));
  return keccak_256(concat(...parts));
}
