import { toDigits } from '@hemid/protocol';
import { keccak_256 } from '@noble/hashes/sha3.js';

/** An address in the mixed case of EIP-55. */
export function checksumAddress(address: Uint8Array): string {
  const digits = toDigits(address);
  const hash = toDigits(keccak_256(new TextEncoder().encode(digits)));
  return `0x${[...digits].map((digit, i) => (Number.parseInt(hash[i] ?? '0', 16) >= 8 ? digit.toUpperCase() : digit)).join('')}`;
}
