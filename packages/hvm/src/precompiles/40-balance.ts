import { addressToScript, toBigEndian } from '@hemid/protocol';
import type { Precompile } from './bind.ts';

const MIN_ADDRESS = 24;

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
  decode(input, spec) {
    if (input.length < MIN_ADDRESS) return undefined;
    return addressToScript(Buffer.from(input).toString('latin1'), spec.genesis.bitcoin.network);
  },
  async run(script, view) {
    return toBigEndian(await view.balance(script), 8);
  },
};
