import { hmac } from '@noble/hashes/hmac.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { Point } from '@noble/secp256k1';
import { readBase58Check } from './base58check.ts';
import type { BitcoinNetwork } from './bitcoin-address.ts';
import { concat, fromBigEndian, toBigEndian } from './bytes.ts';
import { toPoint } from './descriptor-key.ts';
import { fail } from './errors.ts';

const STEP = /^[0-9]{1,10}$/;
const HARDENED = 2 ** 31;
/** Version bytes of an extended public key: xpub, and tpub for every test network. */
const XPUB = 0x0488b21en;
const TPUB = 0x043587cfn;
const EXTENDED_SIZE = 78;

/** BIP-32, public parent to public child. */
function derive(parent: { key: Uint8Array; chainCode: Uint8Array }, step: number): { key: Uint8Array; chainCode: Uint8Array } {
  const both = hmac(sha512, parent.chainCode, concat(parent.key, toBigEndian(step, 4)));
  const child = Point.BASE.multiply(fromBigEndian(both.subarray(0, 32))).add(Point.fromBytes(parent.key));
  return { key: child.toBytes(), chainCode: both.slice(32) };
}

/**
 * The compressed key of an extended public key and its path (BIP-32), or `undefined` for what is none.
 *
 * @throws `protocol/descriptor` for one of another network, or a path that has not exactly one key.
 */
export function readExtendedKey(text: string, network: BitcoinNetwork): Uint8Array | undefined {
  const [extended = '', ...path] = text.split('/');
  const payload = readBase58Check(extended);
  if (payload?.length !== EXTENDED_SIZE) return undefined;
  const version = fromBigEndian(payload.subarray(0, 4));
  if (version !== (network === 'mainnet' ? XPUB : TPUB)) {
    throw fail('protocol/descriptor', `"${extended.slice(0, 12)}…" is no extended public key of ${network}`);
  }
  const steps = path.map((step) => (STEP.test(step) ? Number(step) : HARDENED));
  if (steps.some((step) => step >= HARDENED)) {
    throw fail(
      'protocol/descriptor',
      `"/${path.join('/')}": a vault is one script, so behind an extended key only plain numbers can stand, no * and no '`,
    );
  }
  toPoint(payload.slice(45), extended);
  return steps.reduce(derive, { key: payload.slice(45), chainCode: payload.slice(13, 45) }).key;
}
