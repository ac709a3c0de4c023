import type { BitcoinOutput } from './bitcoin-transaction.ts';
import { concat, fromHex } from './bytes.ts';
import { readPush } from './pop-script.ts';

/** Whom a deposit is for. */
export interface Recipient {
  /** 20 bytes. */
  address: Uint8Array;
  payload: Uint8Array;
}

const OP_RETURN = 0x6a;
const OP_PUSHDATA1 = 0x4c;
const ASCII_HEX_PUSH = 0x28;
/** Outputs in which a recipient or a vault payment is looked for. */
export const MAX_OUTPUTS = 8;

const ascii = (bytes: Uint8Array): string => String.fromCharCode(...bytes);

/** `6a 28` with 40 ASCII hex digits. */
function fromAsciiHex(script: Uint8Array): Recipient | undefined {
  if (script.length !== 42 || script[1] !== ASCII_HEX_PUSH) return undefined;
  const digits = ascii(script.subarray(2));
  if (!/^[0-9a-fA-F]{40}$/.test(digits)) return undefined;
  return { address: fromHex(digits), payload: new Uint8Array() };
}

/** A single push (direct or PUSHDATA1) of 20 … 80 bytes that ends the script: recipient ‖ payload. */
function fromBinary(script: Uint8Array): Recipient | undefined {
  if ((script[1] ?? 0xff) > OP_PUSHDATA1) return undefined;
  const push = readPush(script.subarray(1));
  if (push === undefined || push.rest.length > 0 || push.data.length < 20 || push.data.length > 80) return undefined;
  if (push.data.length === 80 && ascii(push.data.subarray(0, 4)) === 'HEMI') return undefined;
  return { address: push.data.slice(0, 20), payload: push.data.slice(20) };
}

/** The output script that names a recipient: one push of the address and the payload, which has at most 60 bytes. */
export function encodeRecipient({ address, payload }: Recipient): Uint8Array {
  const data = concat(address, payload);
  const length = data.length < OP_PUSHDATA1 ? [data.length] : [OP_PUSHDATA1, data.length];
  return concat(Uint8Array.of(OP_RETURN, ...length), data);
}

/** The recipient that a deposit names within its first eight outputs; the first OP_RETURN that matches a form wins. */
export function readRecipient(outputs: readonly BitcoinOutput[]): Recipient | undefined {
  for (const { script } of outputs.slice(0, MAX_OUTPUTS)) {
    const recipient = script[0] === OP_RETURN ? (fromAsciiHex(script) ?? fromBinary(script)) : undefined;
    if (recipient !== undefined) return recipient;
  }
  return undefined;
}
