import { hexToBytes } from '@noble/hashes/utils.js';
import { concat, equal } from './bytes.ts';
import { isHemidError } from './error.ts';
import { type AbbreviatedKeystone, decodeAbbreviated, encodeAbbreviated } from './keystone.ts';

const OP_RETURN = 0x6a;
const OP_PUSHDATA1 = 0x4c;
const OP_PUSHDATA2 = 0x4d;
const OP_PUSHDATA4 = 0x4e;
/** ASCII "HEMI". */
const MAGIC = hexToBytes('48454d49');

/** The output script of a publication: `6a 4c 50 "HEMI" ‖ 76 bytes`, 83 bytes (protocol section 7). */
export function encodePopScript(keystone: AbbreviatedKeystone): Uint8Array {
  return concat(Uint8Array.of(OP_RETURN, OP_PUSHDATA1, 80), MAGIC, encodeAbbreviated(keystone));
}

/** A push at the start of `script`: its data and what follows; `undefined` if there is no whole push. */
export function readPush(script: Uint8Array): { data: Uint8Array; rest: Uint8Array } | undefined {
  const opcode = script[0];
  if (opcode === undefined) return undefined;
  const view = new DataView(script.buffer, script.byteOffset, script.length);
  let start = 1;
  let length: number;
  if (opcode < OP_PUSHDATA1) {
    length = opcode;
  } else if (opcode === OP_PUSHDATA1 && script.length >= 2) {
    length = view.getUint8(1);
    start = 2;
  } else if (opcode === OP_PUSHDATA2 && script.length >= 3) {
    length = view.getUint16(1, true);
    start = 3;
  } else if (opcode === OP_PUSHDATA4 && script.length >= 5) {
    length = view.getUint32(1, true);
    start = 5;
  } else {
    return undefined;
  }
  if (start + length > script.length) return undefined;
  return { data: script.slice(start, start + length), rest: script.slice(start + length) };
}

/**
 * The keystone that an output script publishes, or `undefined`: first opcode OP_RETURN, then any push of exactly
 * 80 bytes, "HEMI" and a valid abbreviated keystone. What follows the push is ignored.
 */
export function readPopScript(script: Uint8Array): AbbreviatedKeystone | undefined {
  if (script[0] !== OP_RETURN) return undefined;
  const push = readPush(script.subarray(1));
  if (push === undefined || push.data.length !== 80 || !equal(push.data.subarray(0, 4), MAGIC)) return undefined;
  try {
    return decodeAbbreviated(push.data.subarray(4));
  } catch (error) {
    if (isHemidError(error, 'protocol/encoding')) return undefined;
    throw error;
  }
}
