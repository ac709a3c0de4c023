import { type AbiFunction, abiFunction } from './abi.ts';
import { HEADER_SIZE } from './bitcoin-header.ts';
import { fail } from './errors.ts';
import { SYSTEM_ADDRESS } from './predeploy.ts';
import { ATTRIBUTES_TYPE, type AttributesTransaction } from './system-transaction.ts';

/** What a 0x7C says: the claimed tip (internal order) and a run of 80-byte headers (protocol 4.1). */
export interface Attributes {
  tip: Uint8Array;
  headers: Uint8Array[];
}

/** Gas limit of every 0x7C. */
export const ATTRIBUTES_GAS = 1_000_000n;

const updateHvmState: AbiFunction = abiFunction('updateHvmState(bytes32,bytes[])', ['bytes32', 'bytes[]']);

/** The calldata of `updateHvmState`, 100 + 160 n bytes. */
export function encodeAttributes(attributes: Attributes): Uint8Array {
  return updateHvmState.encode([attributes.tip, attributes.headers]);
}

/**
 * Any number of headers is well-formed; block rules decide how many may be sent.
 *
 * @throws `protocol/encoding` unless it is the canonical encoding, byte by byte, of 80-byte headers.
 */
export function decodeAttributes(data: Uint8Array): Attributes {
  const [tip, headers] = updateHvmState.decode(data) as [Uint8Array, Uint8Array[]];
  if (headers.some((header) => header.length !== HEADER_SIZE)) {
    throw fail('protocol/encoding', `a Bitcoin header in updateHvmState does not have ${HEADER_SIZE} bytes`);
  }
  return { tip, headers };
}

/** The 0x7C transaction that carries `attributes`. */
export function toAttributesTransaction(attributes: Attributes): AttributesTransaction {
  return { type: ATTRIBUTES_TYPE, to: SYSTEM_ADDRESS, gas: ATTRIBUTES_GAS, data: encodeAttributes(attributes) };
}
