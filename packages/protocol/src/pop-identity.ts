import { keccak_256 } from '@noble/hashes/sha3.js';
import { Point } from '@noble/secp256k1';
import { toDigits } from './bytes.ts';

/** What identifies a miner: input 0 of the publishing transaction. */
export interface PopInput {
  scriptSig: Uint8Array;
  witness: readonly Uint8Array[];
}

/** The key that input 0 shows, by its form alone (protocol section 7). */
function readKey(input: PopInput): Uint8Array | undefined {
  const { scriptSig, witness } = input;
  if (scriptSig.length === 0) {
    const [signature, key] = witness;
    if (witness.length !== 2 || signature === undefined || key === undefined) return undefined;
    return signature.length >= 70 && signature.length <= 73 && key.length === 33 ? key : undefined;
  }
  const push = scriptSig[0];
  if (push !== 0x47 && push !== 0x48) return undefined;
  if (scriptSig.length !== 1 + push + 1 + 33 || scriptSig[1 + push] !== 0x21) return undefined;
  return scriptSig.slice(2 + push);
}

/** The L2 address of a compressed secp256k1 key, or `undefined` if it is not a point on the curve. */
export function addressOfKey(compressed: Uint8Array): Uint8Array | undefined {
  try {
    const point = Point.fromHex(toDigits(compressed));
    return keccak_256(point.toBytes(false).subarray(1)).slice(12);
  } catch {
    // Point.fromHex throws plain errors for every encoding that is no point: that is the answer asked for.
    return undefined;
  }
}

/** Who is rewarded for a publication: a 20-byte L2 address, or `undefined` when it pays nobody. */
export function readMiner(input: PopInput): Uint8Array | undefined {
  const key = readKey(input);
  return key === undefined ? undefined : addressOfKey(key);
}
