import { concat, displayBytes, fromBigEndian, type Page, toBigEndian, type UnspentOutput } from '@hemid/protocol';
import { readAddress } from './address-input.ts';
import type { Precompile } from './bind.ts';

/** start u24 ‖ size u8 */
const PAGE_SIZE = 4;
const DEFAULT_LIMIT = 10;

interface UnspentInput {
  script: Uint8Array;
  page: Page;
}

function encodeOutput({ txid, vout, valueSats }: UnspentOutput): Uint8Array {
  return concat(displayBytes(txid), toBigEndian(vout & 0xffff, 2), toBigEndian(valueSats, 8));
}

/**
 * 0x41, unspent outputs of an address.
 *
 * - input: the address as ASCII ‖ start u24 ‖ size u8, at least 28 bytes; `start` outputs are skipped, size 0 means 10
 * - output: count u8 ‖ count × (txid display order ‖ vout cut to u16 ‖ satoshis u64), by txid in internal order, then
 *   vout; empty when the address does not decode
 */
export const unspent: Precompile<UnspentInput> = {
  name: 'unspent',
  address: 0x41,
  gas: 100_000n,
  decode(input, spec) {
    const at = input.length - PAGE_SIZE;
    const script = at < 0 ? undefined : readAddress(input.subarray(0, at), spec);
    if (script === undefined) return undefined;
    return { script, page: { skip: Number(fromBigEndian(input.subarray(at, at + 3))), limit: input[at + 3] || DEFAULT_LIMIT } };
  },
  async run({ script, page }, view) {
    const outputs = await view.unspent(script, page);
    return concat(Uint8Array.of(outputs.length), ...outputs.map(encodeOutput));
  },
};
