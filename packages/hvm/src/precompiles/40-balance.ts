import { toBigEndian } from '@hemid/protocol';
import { readAddress } from './address-input.ts';
import type { Precompile } from './bind.ts';

/**
 * 0x40, balance of an address.
 *
 * - input: the address as ASCII, at least 24 bytes
 * - output: satoshis u64; empty when the address does not decode for the chain's Bitcoin network
 */
export const balance: Precompile<Uint8Array> = {
  name: 'balance',
  address: 0x40,
  gas: 50_000n,
  decode: readAddress,
  async run(script, view) {
    return toBigEndian(await view.balance(script), 8);
  },
};
