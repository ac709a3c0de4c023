import { keccak_256 } from '@noble/hashes/sha3.js';
import { fromHex, toDigits } from './bytes.ts';

/** An L2 address as people read it, its checksum in the case of its letters (EIP-55). */
export function toChecksumAddress(address: Uint8Array): string {
  const digits = toDigits(address);
  const hash = toDigits(keccak_256(new TextEncoder().encode(digits)));
  const cased = [...digits].map((digit, i) => (Number.parseInt(hash[i] as string, 16) >= 8 ? digit.toUpperCase() : digit));
  return `0x${cased.join('')}`;
}

/** The 20 bytes of an L2 address; `undefined` if it is none, or its letters are of both cases and not as EIP-55 wants them. */
export function readL2Address(text: string): Uint8Array | undefined {
  if (!/^0x[0-9a-fA-F]{40}$/.test(text)) return undefined;
  const address = fromHex(text);
  const isPlain = text.slice(2) === text.slice(2).toLowerCase() || text.slice(2) === text.slice(2).toUpperCase();
  return isPlain || toChecksumAddress(address) === text ? address : undefined;
}
