import { MIN_ADDRESS, readAddress } from './address-input.ts';
import type { Precompile } from './bind.ts';

/**
 * 0x46, script of an address.
 *
 * - input: the address as ASCII, at least 24 bytes
 * - output: its scriptPubKey; an address that does not decode for the chain's Bitcoin network fails the call
 */
export const script: Precompile<Uint8Array> = {
  name: 'script',
  address: 0x46,
  gas: 25_000n,
  decode: (input) => (input.length < MIN_ADDRESS ? undefined : input),
  run: (text, _view, spec) => readAddress(text, spec),
};
