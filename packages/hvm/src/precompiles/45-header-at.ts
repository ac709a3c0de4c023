import { fromBigEndian } from '@hemid/protocol';
import type { Precompile } from './bind.ts';
import { encodeHeaderFrame } from './header-frame.ts';

/**
 * 0x45, header at a height.
 *
 * - input: height u32, 4 bytes
 * - output: the 116-byte frame, hVM genesis … index tip; empty outside (and always, with the quirk
 *   `emptyHeaderAtHeight` of the public network)
 */
export const headerAt: Precompile<number> = {
  name: 'headerAt',
  address: 0x45,
  gas: 6_000n,
  decode: (input) => (input.length === 4 ? Number(fromBigEndian(input)) : undefined),
  run(height, view, spec) {
    if (spec.genesis.quirks.emptyHeaderAtHeight || height > view.indexTip.height) return new Uint8Array();
    const placed = view.ancestor(height);
    return placed === undefined ? new Uint8Array() : encodeHeaderFrame(placed);
  },
};
