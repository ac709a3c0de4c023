import { hmac } from '@noble/hashes/hmac.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { Point } from '@noble/secp256k1';
import { readBase58Check } from './base58check.ts';
import type { BitcoinNetwork } from './bitcoin-address.ts';
import { concat, fromBigEndian, fromHex, toBigEndian } from './bytes.ts';
import { fail } from './errors.ts';

/** `[fingerprint/path]`, which says where a key comes from and changes nothing. */
const ORIGIN = /^\[[0-9a-fA-F]{8}(?:\/[0-9]{1,10}['h]?)*\]/;
const STEP = /^[0-9]{1,10}$/;
const HARDENED = 2 ** 31;
/** Version bytes of an extended public key: xpub, and tpub for every test network. */
const XPUB = 0x0488b21en;
const TPUB = 0x043587cfn;
const EXTENDED_SIZE = 78;

function toPoint(key: Uint8Array, text: string): Point {
  try {
    return Point.fromBytes(key);
  } catch (cause) {
    throw fail('protocol/descriptor', `"${text}" is no point on the curve: a key is mistyped`, { cause });
  }
}

/** BIP-32, public parent to public child. */
function derive(parent: { key: Uint8Array; chainCode: Uint8Array }, step: number): { key: Uint8Array; chainCode: Uint8Array } {
  const both = hmac(sha512, parent.chainCode, concat(parent.key, toBigEndian(step, 4)));
  const child = Point.BASE.multiply(fromBigEndian(both.subarray(0, 32))).add(Point.fromBytes(parent.key));
  return { key: child.toBytes(), chainCode: both.slice(32) };
}

function fromExtended(text: string, network: BitcoinNetwork): Uint8Array | undefined {
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

/**
 * The key of a key expression (BIP-380) as 33 compressed bytes: hex, or an extended public key and its path, with or without
 * an origin. Where `isXOnly` 32 bytes of hex stand for the point with even y.
 *
 * @throws `protocol/descriptor` saying what is wrong with it.
 */
export function readDescriptorKey(expression: string, { network, isXOnly }: { network: BitcoinNetwork; isXOnly: boolean }): Uint8Array {
  const text = expression.replace(ORIGIN, '');
  if (/^0[23][0-9a-fA-F]{64}$/.test(text)) return toPoint(fromHex(text), text).toBytes();
  if (isXOnly && /^[0-9a-fA-F]{64}$/.test(text)) return toPoint(fromHex(`02${text}`), text).toBytes();
  const key = fromExtended(text, network);
  if (key !== undefined) return key;
  const forms = `66 hex digits${isXOnly ? ', 64 hex digits,' : ''} or an extended public key of ${network}`;
  throw fail('protocol/descriptor', `"${expression}" is no public key: ${forms} can stand here`);
}
