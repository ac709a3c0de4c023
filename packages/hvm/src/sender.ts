import { recover } from './crypto.ts';
import { signedMessage } from './signed-message.ts';
import { keccak } from './state/keccak.ts';
import { latin } from './state/key.ts';

/** Of one generation; the one before is kept too. Taking the oldest out one by one would make a Map walk over what is gone. */
const GENERATION = 32_768;
const GENERATION_BYTES = 1 << 25;

/**
 * Hashes of raw transactions by their bytes, the same array: pool, block and indices ask for them in turn. A WeakMap would
 * keep them as long as the bytes, but costs the garbage collector a multiple.
 */
let hashes = new Map<Uint8Array, Uint8Array>();
let hashesBefore = new Map<Uint8Array, Uint8Array>();
let hashedBytes = 0;

/** Remembers the hash of a raw transaction. */
export function rememberHash(raw: Uint8Array, hash: Uint8Array): void {
  if (hashes.size >= GENERATION || hashedBytes >= GENERATION_BYTES) {
    hashesBefore = hashes;
    hashes = new Map();
    hashedBytes = 0;
  }
  hashes.set(raw, hash);
  hashedBytes += raw.length;
}

const knownHash = (raw: Uint8Array): Uint8Array | undefined => hashes.get(raw) ?? hashesBefore.get(raw);

/** The hash of a raw transaction, keccak256 of its bytes, which must not change from now on. */
export function hashOfTransaction(raw: Uint8Array): Uint8Array {
  const known = knownHash(raw);
  if (known !== undefined) return known;
  const hash = keccak(raw);
  rememberHash(raw, hash);
  return hash;
}

/** Senders by transaction hash (latin1). */
let known = new Map<string, Uint8Array>();
let before = new Map<string, Uint8Array>();

/** Remembers the sender of a transaction, by its hash: pool, import and RPC ask for the same ones. */
export function rememberSender(hash: Uint8Array, sender: Uint8Array): void {
  if (known.size >= GENERATION) {
    before = known;
    known = new Map();
  }
  known.set(latin(hash), sender);
}

/** Whether hash and sender of these bytes are known: nothing is left to do for them. */
export function isRecovered(raw: Uint8Array): boolean {
  const hash = knownHash(raw);
  return hash !== undefined && knownSender(hash) !== undefined;
}

/** The sender of a transaction that was recovered lately. */
function knownSender(hash: Uint8Array): Uint8Array | undefined {
  const key = latin(hash);
  return known.get(key) ?? before.get(key);
}

/**
 * The sender of a raw transaction whose hash is `hash`, 20 bytes.
 *
 * @returns `undefined` when {@link signedMessage} has no word for it, or nobody made the signature.
 */
export function senderOf(raw: Uint8Array, hash: Uint8Array): Uint8Array | undefined {
  const found = knownSender(hash);
  if (found !== undefined) return found;
  const message = signedMessage(raw);
  if (message === undefined) return undefined;
  const { signature, recovery } = message;
  let key: Uint8Array;
  try {
    key = recover(message.hash, { recovery, r: signature.subarray(0, 32), s: signature.subarray(32) });
  } catch {
    return undefined;
  }
  const sender = keccak(key).slice(12);
  rememberSender(hash, sender);
  return sender;
}
