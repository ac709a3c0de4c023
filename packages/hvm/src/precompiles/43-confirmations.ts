import { displayBytes, toBigEndian } from '@hemid/protocol';
import type { Precompile } from './bind.ts';

/**
 * 0x43, confirmations of a transaction.
 *
 * - input: txid, 32 bytes, display order
 * - output: light-tip height − height + 1 as u32, wrapping if negative; an unknown txid fails the call
 */
export const confirmations: Precompile<Uint8Array> = {
  name: 'confirmations',
  address: 0x43,
  gas: 5_000n,
  decode: (input) => (input.length === 32 ? displayBytes(input) : undefined),
  run(txid, view) {
    const height = view.heightOfTransaction(txid);
    return height === undefined ? undefined : toBigEndian((view.lightTip.height - height + 1) >>> 0, 4);
  },
};
