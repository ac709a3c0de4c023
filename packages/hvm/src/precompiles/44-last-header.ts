import type { Precompile } from './bind.ts';
import { encodeHeaderFrame } from './header-frame.ts';

/**
 * 0x44, last header.
 *
 * - input: anything
 * - output: the 116-byte frame of the index tip
 */
export const lastHeader: Precompile<true> = {
  name: 'lastHeader',
  address: 0x44,
  gas: 5_000n,
  decode: () => true,
  run(_input, view) {
    const placed = view.ancestor(view.indexTip.height);
    return placed === undefined ? new Uint8Array() : encodeHeaderFrame(placed);
  },
};
