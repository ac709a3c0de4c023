import { concat, displayBytes, toBigEndian } from '@hemid/protocol';
import type { Precompile } from './bind.ts';
import { encodeClamped, encodeCut, readU16 } from './fields.ts';

interface InputPlace {
  txid: Uint8Array;
  index: number;
  max: number;
}

/**
 * 0x47, input of a transaction.
 *
 * - input: txid display order ‖ index u16 ‖ max u16, 36 bytes
 * - output: witness count u16 ‖ satoshis u64 ‖ previous txid display order ‖ previous index u16 ‖ scriptSig length
 *   u16 ‖ scriptSig cut to max ‖ sequence u32; counts, lengths and the index are 65535 when they are more; empty when
 *   the transaction, the input or its source output is unknown (so always for a coinbase)
 */
export const input: Precompile<InputPlace> = {
  name: 'input',
  address: 0x47,
  gas: 15_000n,
  decode: (bytes) =>
    bytes.length === 36 ? { txid: displayBytes(bytes.subarray(0, 32)), index: readU16(bytes, 32), max: readU16(bytes, 34) } : undefined,
  run({ txid, index, max }, view) {
    const found = view.transaction(txid)?.transaction.inputs[index];
    const source = found && view.output(found.txid, found.vout);
    if (found === undefined || source === undefined) return new Uint8Array();
    return concat(
      encodeClamped(found.witness.length),
      toBigEndian(source.valueSats, 8),
      displayBytes(found.txid),
      encodeClamped(found.vout),
      encodeCut(found.scriptSig, max),
      toBigEndian(found.sequence, 4),
    );
  },
};
