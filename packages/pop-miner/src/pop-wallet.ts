import { addressOfKey, type BitcoinNetwork, concat, fromHex, isHemidError, scriptToAddress } from '@hemid/protocol';
import { Secret } from '@hemid/runtime';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { getPublicKey, hashes, sign, utils } from '@noble/secp256k1';
import { script as bitcoinScript, crypto, Transaction } from 'bitcoinjs-lib';
import { fail } from './errors.ts';

hashes.sha256 = sha256;
hashes.hmacSha256 = (key, message) => hmac(sha256, key, message);

/** `p2wpkh`: `OP_0 <hash>`; `p2pkh`: the public network's miners, and the only kind that it rewards. */
export type AddressKind = 'p2wpkh' | 'p2pkh';

/** One key, its Bitcoin address, and the L2 address that is rewarded. */
export interface PopWallet {
  kind: AddressKind;
  address: string;
  /** The scriptPubKey of {@link address}. */
  script: Uint8Array;
  /** Compressed, 33 bytes. */
  publicKey: Uint8Array;
  /** hash160 of the public key. */
  keyHash: Uint8Array;
  /** L2 address, 20 bytes (protocol section 7). */
  miner: Uint8Array;
  /** Signs a sighash: DER and SIGHASH_ALL, always {@link SIGNATURE_SIZE} bytes. Deterministic. */
  sign(digest: Uint8Array): Uint8Array;
}

/**
 * Bytes of every signature, its hash type included: low r and low s, as Bitcoin Core grinds them. So the size of a
 * transaction is known before it is signed, and a legacy input always pays its miner (71 or 72 are needed).
 */
export const SIGNATURE_SIZE = 71;

/**
 * A secret from hex, with or without 0x: a big-endian integer of up to 32 bytes.
 *
 * @throws `pop-miner/secret`, which never shows the text.
 */
export function readPopSecret(text: string): Secret<Uint8Array> {
  const bytes = readHex(text);
  if (bytes === undefined || bytes.length === 0 || bytes.length > 32) throw fail('pop-miner/secret', 'the secret is not up to 32 bytes of hex');
  return toPopSecret(concat(new Uint8Array(32 - bytes.length), bytes));
}

/**
 * A secret from 32 bytes.
 *
 * @throws `pop-miner/secret` unless they are a secp256k1 key.
 */
export function toPopSecret(bytes: Uint8Array): Secret<Uint8Array> {
  if (!utils.isValidSecretKey(bytes)) throw fail('pop-miner/secret', 'the secret is zero or above the order of secp256k1');
  return new Secret(bytes);
}

function readHex(text: string): Uint8Array | undefined {
  try {
    return fromHex(text);
  } catch (error) {
    if (isHemidError(error, 'protocol/encoding')) return undefined;
    throw error;
  }
}

/** A wallet of a secret of 32 bytes. */
export function createPopWallet(secret: Secret<Uint8Array>, { network, kind }: { network: BitcoinNetwork; kind: AddressKind }): PopWallet {
  const publicKey = getPublicKey(secret.reveal());
  const keyHash = crypto.hash160(publicKey);
  const script = kind === 'p2pkh' ? toP2pkh(keyHash) : concat(Uint8Array.of(0x00, 20), keyHash);
  return {
    kind,
    // Every key has an address of both kinds, and is a point on the curve.
    address: scriptToAddress(script, network) as string,
    script,
    publicKey,
    keyHash,
    miner: addressOfKey(publicKey) as Uint8Array,
    sign: (digest) => signToSize(digest, secret.reveal()),
  };
}

/** The P2PKH script of a key hash: also what a P2WPKH input signs (BIP-143). */
export function toP2pkh(keyHash: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(0x76, 0xa9, 20), keyHash, Uint8Array.of(0x88, 0xac));
}

function signToSize(digest: Uint8Array, key: Uint8Array): Uint8Array {
  for (let attempt = 0; ; attempt += 1) {
    const extraEntropy = attempt === 0 ? false : toLittleEndian32(attempt);
    const compact = sign(digest, key, { prehash: false, lowS: true, extraEntropy });
    const signature = bitcoinScript.signature.encode(compact, Transaction.SIGHASH_ALL);
    if (signature.length === SIGNATURE_SIZE) return signature;
  }
}

/** The attempt as the extra data that Bitcoin Core gives to RFC 6979 (CKey::Sign). */
function toLittleEndian32(attempt: number): Uint8Array {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(0, attempt, true);
  return bytes;
}
