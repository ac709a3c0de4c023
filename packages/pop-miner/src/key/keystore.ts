import { createCipheriv, createDecipheriv, timingSafeEqual } from 'node:crypto';
import { concat, fromHex, toDigits } from '@hemid/protocol';
import type { Random, Secret } from '@hemid/runtime';
import { pbkdf2Async } from '@noble/hashes/pbkdf2.js';
import { scryptAsync } from '@noble/hashes/scrypt.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { z } from 'zod';
import { fail } from '../errors.ts';
import { toPopSecret } from '../pop-wallet.ts';

const CIPHER = 'aes-128-ctr';
/** What one guess of the password costs: 256 MiB and about a second. */
const SCRYPT = { n: 262_144, r: 8, p: 1, dklen: 32 };
/** Bytes that scrypt mixes: a file that asks for more would stop the machine, not a thief. */
const MAX_SCRYPT_BYTES = 2 ** 30;

const hex = (bytes?: number) =>
  z
    .string()
    .regex(bytes === undefined ? /^(0x)?([0-9a-fA-F]{2})*$/ : new RegExp(`^(0x)?[0-9a-fA-F]{${2 * bytes}}$`))
    .transform((text) => fromHex(text));
const count = z.number().int().min(1);

/** Web3 Secret Storage, version 3; `address`, `id` and whatever else wallets add is not looked at. */
const keystoreFile = z.object({
  version: z.literal(3),
  crypto: z.object({
    cipher: z.literal(CIPHER),
    cipherparams: z.object({ iv: hex(16) }),
    ciphertext: hex(32),
    mac: hex(32),
    kdf: z.enum(['scrypt', 'pbkdf2']),
    kdfparams: z.union([
      z.object({ n: count.refine((n) => Number.isInteger(Math.log2(n))), r: count, p: count, dklen: count.min(32).max(64), salt: hex() }),
      z.object({ c: count.max(10_000_000), prf: z.literal('hmac-sha256'), dklen: count.min(32).max(64), salt: hex() }),
    ]),
  }),
});

type KdfParams = z.output<typeof keystoreFile>['crypto']['kdfparams'];

/** The text of a keystore file (Web3 Secret Storage Definition, version 3) that holds a secret of 32 bytes. */
export async function encryptKeystore(
  secret: Secret<Uint8Array>,
  { password, random }: { password: Secret<string>; random: Random },
): Promise<string> {
  const [salt, iv, id] = [random.bytes(32), random.bytes(16), random.bytes(16)];
  const key = await deriveKey(password, { ...SCRYPT, salt });
  const cipher = createCipheriv(CIPHER, key.subarray(0, 16), iv);
  const ciphertext = concat(cipher.update(secret.reveal()), cipher.final());
  const crypto = {
    cipher: CIPHER,
    cipherparams: { iv: toDigits(iv) },
    ciphertext: toDigits(ciphertext),
    kdf: 'scrypt',
    kdfparams: { ...SCRYPT, salt: toDigits(salt) },
    mac: toDigits(macOf(key, ciphertext)),
  };
  return `${JSON.stringify({ version: 3, id: toUuid(id), crypto }, null, 2)}\n`;
}

/**
 * The secret in a keystore file, by scrypt or PBKDF2, as other wallets write them too.
 *
 * @throws `pop-miner/keystore` when the text is no such file, or the password is another one.
 */
export async function decryptKeystore(text: string, password: Secret<string>): Promise<Secret<Uint8Array>> {
  const { ciphertext, cipherparams, kdfparams, mac } = readKeystore(text);
  const key = await deriveKey(password, kdfparams);
  if (!timingSafeEqual(macOf(key, ciphertext), mac)) throw fail('pop-miner/keystore', 'the password does not open the keystore');
  const decipher = createDecipheriv(CIPHER, key.subarray(0, 16), cipherparams.iv);
  return toPopSecret(concat(decipher.update(ciphertext), decipher.final()));
}

function readKeystore(text: string): z.output<typeof keystoreFile>['crypto'] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The cause would quote the text.
    throw fail('pop-miner/keystore', 'the keystore is not JSON');
  }
  const parsed = keystoreFile.safeParse(json);
  if (!parsed.success) {
    const places = parsed.error.issues.map(({ path }) => path.join('.') || 'the file').join(', ');
    throw fail('pop-miner/keystore', `the keystore is not one of version 3 with ${CIPHER}: look at ${places}`);
  }
  const { crypto } = parsed.data;
  const params = crypto.kdfparams;
  if ('n' in params !== (crypto.kdf === 'scrypt')) throw fail('pop-miner/keystore', 'the parameters of the keystore are not those of its kdf');
  if ('n' in params && 128 * params.n * params.r * params.p > MAX_SCRYPT_BYTES) {
    throw fail('pop-miner/keystore', 'the keystore asks for more work than it can be worth: its n, r and p are too large');
  }
  return crypto;
}

async function deriveKey(password: Secret<string>, params: KdfParams): Promise<Uint8Array> {
  const { salt, dklen: dkLen } = params;
  if ('c' in params) return pbkdf2Async(sha256, password.reveal(), salt, { c: params.c, dkLen });
  return scryptAsync(password.reveal(), salt, { N: params.n, r: params.r, p: params.p, dkLen });
}

function macOf(key: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  return keccak_256(concat(key.subarray(16, 32), ciphertext));
}

/** A random UUID (RFC 9562, version 4). */
function toUuid(random: Uint8Array): string {
  const bytes = random.map((byte, i) => (i === 6 ? (byte & 0x0f) | 0x40 : i === 8 ? (byte & 0x3f) | 0x80 : byte));
  return toDigits(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
