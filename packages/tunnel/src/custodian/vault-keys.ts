import { concat, equal } from '@hemid/protocol';
import { sha256 } from '@noble/hashes/sha2.js';

/** The vault `wsh(sortedmulti(required, keys…))` (BIP-383, BIP-67). */
export interface VaultKeys {
  required: number;
  /** Compressed, in the order of the script. */
  publicKeys: Uint8Array[];
  witnessScript: Uint8Array;
  /** scriptPubKey. */
  script: Uint8Array;
}

const OP_1 = 0x51;
const OP_CHECKMULTISIG = 0xae;

/** The vault of some custodians' keys, of whom `required` sign. */
export function sortedMulti(required: number, publicKeys: readonly Uint8Array[]): VaultKeys {
  const sorted = [...publicKeys].sort(Buffer.compare);
  const pushes = sorted.map((key) => concat(Uint8Array.of(key.length), key));
  const witnessScript = concat(Uint8Array.of(OP_1 - 1 + required), ...pushes, Uint8Array.of(OP_1 - 1 + sorted.length, OP_CHECKMULTISIG));
  return { required, publicKeys: sorted, witnessScript, script: concat(Uint8Array.of(0x00, 32), sha256(witnessScript)) };
}

/** Which of the keys this one is. */
export function keyIndex({ publicKeys }: VaultKeys, key: Uint8Array): number {
  return publicKeys.findIndex((one) => equal(one, key));
}
