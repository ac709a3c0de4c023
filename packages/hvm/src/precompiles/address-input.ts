import { addressToScript, type ChainSpec } from '@hemid/protocol';

/** Shorter inputs are of the wrong form, whatever they say. */
export const MIN_ADDRESS = 24;

/** No address of any network is longer (BIP-173); decoding base58 takes the square of the length, for a fixed price. */
const MAX_ADDRESS = 90;

/** The script of an address given as ASCII, or `undefined` when it does not decode for the chain's Bitcoin network. */
export function readAddress(text: Uint8Array, spec: ChainSpec): Uint8Array | undefined {
  if (text.length < MIN_ADDRESS || text.length > MAX_ADDRESS) return undefined;
  return addressToScript(Buffer.from(text).toString('latin1'), spec.genesis.bitcoin.network);
}
