import { concat, displayBytes, toBigEndian } from '@hemid/protocol';
import type { Precompile } from './bind.ts';
import { encodeCut, readU16 } from './fields.ts';

interface OutputPlace {
  txid: Uint8Array;
  index: number;
  max: number;
}

/**
 * 0x48, output of a transaction.
 *
 * - input: txid display order ‖ index u16 ‖ max u16, 36 bytes
 * - output: satoshis u64 ‖ script length u16 (65535 when it is more) ‖ script cut to max ‖ 01 if unspent else 00;
 *   empty when the transaction or the output is unknown (and, with the quirk `emptySpentOutput` of the public network,
 *   when it is not in the unspent set)
 */
export const output: Precompile<OutputPlace> = {
  name: 'output',
  address: 0x48,
  gas: 15_000n,
  decode: (bytes) =>
    bytes.length === 36 ? { txid: displayBytes(bytes.subarray(0, 32)), index: readU16(bytes, 32), max: readU16(bytes, 34) } : undefined,
  run({ txid, index, max }, view, spec) {
    const found = view.transaction(txid)?.transaction.outputs[index];
    if (found === undefined) return new Uint8Array();
    const placed = view.output(txid, index);
    const isUnspent = placed !== undefined && placed.spentAt === undefined;
    if (!isUnspent && spec.genesis.quirks.emptySpentOutput) return new Uint8Array();
    return concat(toBigEndian(found.valueSats, 8), encodeCut(found.script, max), Uint8Array.of(isUnspent ? 1 : 0));
  },
};
