import { displayBytes } from '@hemid/protocol';
import type { Precompile } from './bind.ts';
import { encodeCut, readU16 } from './fields.ts';

interface WitnessPlace {
  txid: Uint8Array;
  index: number;
  element: number;
  max: number;
}

/**
 * 0x49, element of an input's witness.
 *
 * - input: txid display order ‖ input u16 ‖ element u16 ‖ max u16, 38 bytes
 * - output: length u16 (65535 when it is more) ‖ bytes cut to max; empty when the transaction, the input or the
 *   element is unknown
 */
export const witness: Precompile<WitnessPlace> = {
  name: 'witness',
  address: 0x49,
  gas: 15_000n,
  decode(bytes) {
    if (bytes.length !== 38) return undefined;
    return { txid: displayBytes(bytes.subarray(0, 32)), index: readU16(bytes, 32), element: readU16(bytes, 34), max: readU16(bytes, 36) };
  },
  run({ txid, index, element, max }, view) {
    const found = view.transaction(txid)?.transaction.inputs[index]?.witness[element];
    return found === undefined ? new Uint8Array() : encodeCut(found, max);
  },
};
