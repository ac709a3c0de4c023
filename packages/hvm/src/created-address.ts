import { RLP } from '@ethereumjs/rlp';
import { toMinimal } from '@hemid/protocol';
import { keccak } from './state/keccak.ts';

/** Address of the contract that a transaction without a recipient creates. */
export function createdAddress(sender: Uint8Array, nonce: bigint): Uint8Array {
  return keccak(RLP.encode([sender, toMinimal(nonce)])).slice(12);
}
