import { concat, equal, fromBigEndian, tapLeafHash, tapTweak, toBigEndian, type VaultSpending } from '@hemid/protocol';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { getPublicKey, hashes, Point, schnorr, sign, verify } from '@noble/secp256k1';
import { script as bitcoinScript, type Psbt, Transaction } from 'bitcoinjs-lib';
import type { Batch } from './batch.ts';
import type { VaultKeys } from './vault-keys.ts';

hashes.sha256 = sha256;
hashes.hmacSha256 = (key, message) => hmac(sha256, key, message);

/** A batch, its transaction, and whose keys sign it. */
export interface Signing {
  batch: Batch;
  vault: VaultKeys;
}

type PsbtInput = Psbt['data']['inputs'][number];

const ALL = Transaction.SIGHASH_ALL;
const LEAF_VERSION = 0xc0;
/** BIP-340 allows it: the same custodians give the same bytes. */
const NO_RANDOMNESS = new Uint8Array(32);
const ORDER = Point.CURVE().n;

/** What a signature of input `i` signs: all of the transaction. */
export function digestAt(transaction: Transaction, i: number, { batch, vault }: Signing): Uint8Array {
  const { spending, script } = vault;
  if (spending.kind === 'wsh' || spending.kind === 'wpkh') {
    const code = spending.kind === 'wsh' ? spending.witnessScript : p2pkhScript(script.slice(2));
    return transaction.hashForWitnessV0(i, code, batch.coins[i]?.valueSats ?? 0n, ALL);
  }
  const scripts = batch.coins.map(() => script);
  const values = batch.coins.map(({ valueSats }) => valueSats);
  const leaf = spending.kind === 'tr-leaf' ? tapLeafHash(spending.leafScript) : undefined;
  return transaction.hashForWitnessV1(i, scripts, values, Transaction.SIGHASH_DEFAULT, leaf);
}

const p2pkhScript = (hash: Uint8Array): Uint8Array => concat(Uint8Array.of(0x76, 0xa9, 20), hash, Uint8Array.of(0x88, 0xac));

/** Signs a digest of {@link digestAt}; deterministic. */
export function signDigest(digest: Uint8Array, secret: Uint8Array, spending: VaultSpending): Uint8Array {
  if (spending.kind === 'tr-leaf') return schnorr.sign(digest, secret, NO_RANDOMNESS);
  if (spending.kind === 'tr-key') return schnorr.sign(digest, tweakSecret(secret, spending.internalKey), NO_RANDOMNESS);
  return bitcoinScript.signature.encode(sign(digest, secret, { prehash: false }), ALL);
}

/** The secret of the output key (BIP-341): that of the internal key with even y, plus the tweak. */
function tweakSecret(secret: Uint8Array, internalKey: Uint8Array): Uint8Array {
  const number = fromBigEndian(secret);
  const even = getPublicKey(secret)[0] === 2 ? number : ORDER - number;
  return toBigEndian((even + tapTweak(internalKey)) % ORDER, 32);
}

/** Whether a signature is one over this digest by this key of the vault: all of the transaction, in its one encoding. */
export function isGoodSignature(signature: Uint8Array, digest: Uint8Array, { key, vault }: { key: Uint8Array; vault: VaultKeys }): boolean {
  try {
    // The output key signs for a single internal key. 64 bytes: hash type DEFAULT.
    if (vault.spending.kind === 'tr-key') return signature.length === 64 && schnorr.verify(signature, digest, vault.script.slice(2));
    if (vault.spending.kind === 'tr-leaf') return signature.length === 64 && schnorr.verify(signature, digest, key);
    const { signature: compact, hashType } = bitcoinScript.signature.decode(signature);
    const isStrict = hashType === ALL && equal(bitcoinScript.signature.encode(compact, hashType), signature);
    return isStrict && verify(compact, digest, key, { prehash: false });
  } catch {
    // The decoders throw errors of many kinds at bytes that are no signature.
    return false;
  }
}

/** What a PSBT's input says of a coin of the vault (BIP-174, BIP-371). */
export function toPsbtFields({ script, spending }: VaultKeys, valueSats: bigint): Partial<PsbtInput> {
  const witnessUtxo = { script, value: valueSats };
  if (spending.kind === 'wsh') return { witnessUtxo, witnessScript: spending.witnessScript };
  if (spending.kind === 'wpkh') return { witnessUtxo };
  const { internalKey: tapInternalKey } = spending;
  if (spending.kind === 'tr-key') return { witnessUtxo, tapInternalKey };
  const { leafScript, controlBlock } = spending;
  return { witnessUtxo, tapInternalKey, tapLeafScript: [{ leafVersion: LEAF_VERSION, script: leafScript, controlBlock }] };
}

/** A signature as a field of a PSBT's input. */
export function toSignatureField({ spending }: VaultKeys, publicKey: Uint8Array, signature: Uint8Array): Partial<PsbtInput> {
  if (spending.kind === 'tr-key') return { tapKeySig: signature };
  if (spending.kind === 'tr-leaf') return { tapScriptSig: [{ pubkey: publicKey, leafHash: tapLeafHash(spending.leafScript), signature }] };
  return { partialSig: [{ pubkey: publicKey, signature }] };
}

/** The signatures that a PSBT's input holds for this vault, each with the key it claims. */
export function signaturesIn(input: PsbtInput, { spending, publicKeys }: VaultKeys): { pubkey: Uint8Array; signature: Uint8Array }[] {
  if (spending.kind === 'tr-key') return input.tapKeySig === undefined ? [] : [{ pubkey: publicKeys[0] as Uint8Array, signature: input.tapKeySig }];
  if (spending.kind === 'tr-leaf') {
    const leaf = tapLeafHash(spending.leafScript);
    return (input.tapScriptSig ?? []).filter(({ leafHash }) => equal(leafHash, leaf));
  }
  return input.partialSig ?? [];
}

/** The witness that spends a coin: exactly as many signatures as must be, `undefined` at a key without one. */
export function toWitness({ spending, publicKeys }: VaultKeys, signatures: readonly (Uint8Array | undefined)[]): Uint8Array[] {
  const given = signatures.filter((signature) => signature !== undefined);
  if (spending.kind === 'wpkh') return [...given, publicKeys[0] as Uint8Array];
  if (spending.kind === 'tr-key') return given;
  // OP_CHECKMULTISIG takes one element more than it reads.
  if (spending.kind === 'wsh') return [new Uint8Array(), ...given, spending.witnessScript];
  // Each OP_CHECKSIGADD takes one from the top: the first key's is the last element, and an empty one does not count.
  const stack = signatures.map((signature) => signature ?? new Uint8Array()).reverse();
  return [...stack, spending.leafScript, spending.controlBlock];
}
