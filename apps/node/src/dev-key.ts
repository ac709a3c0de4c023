import { sha256 } from '@noble/hashes/sha2.js';
import { getPublicKey } from '@noble/secp256k1';
import { payments } from 'bitcoinjs-lib';

/**
 * The keys of development networks. They follow from their names, so everybody has them: never use them where coins
 * are worth anything.
 */
export interface DevKey {
  secret: Uint8Array;
  /** Compressed, 33 bytes. */
  publicKey: Uint8Array;
}

/** The development key of a name, e.g. `sequencer`, `miner`, `custodian 1`. */
export function devKey(name: string): DevKey {
  const secret = sha256(new TextEncoder().encode(`hemid development key: ${name}`));
  return { secret, publicKey: getPublicKey(secret) };
}

/** The vault script of development networks: P2WSH, two of three custodians, keys sorted (BIP-67). */
export function devVaultScript(): Uint8Array {
  const pubkeys = [1, 2, 3].map((i) => devKey(`custodian ${i}`).publicKey).sort(Buffer.compare);
  const output = payments.p2wsh({ redeem: payments.p2ms({ m: 2, pubkeys }) }).output;
  if (output === undefined) throw new RangeError('the vault script cannot be built');
  return output;
}

/** Where `hemid dev` has a BitcoinProbe ready, a contract that reads Bitcoin. */
export const DEV_PROBE_ADDRESS = '0xb17c00000000000000000000000000000000c0de';
