import { equal, toDigits } from '@hemid/protocol';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { getPublicKey, hashes, sign, verify } from '@noble/secp256k1';
import { script as bitcoinScript, Psbt, Transaction } from 'bitcoinjs-lib';
import { fail } from '../errors.ts';
import { type Batch, toUnsigned } from './batch.ts';
import { keyIndex, type VaultKeys } from './vault-keys.ts';

hashes.sha256 = sha256;
hashes.hmacSha256 = (key, message) => hmac(sha256, key, message);

/** A batch, its transaction, and whose keys sign it. */
export interface Signing {
  batch: Batch;
  vault: VaultKeys;
}

/** The signatures of one custodian: DER and hash type, one for each input. */
export interface Partial {
  publicKey: Uint8Array;
  signatures: Uint8Array[];
}

/** A PSBT of a batch is much smaller; more than this is not read. */
const MAX_TEXT = 2_000_000;
const ALL = Transaction.SIGHASH_ALL;

const digestAt = (transaction: Transaction, i: number, { batch, vault }: Signing): Uint8Array =>
  transaction.hashForWitnessV0(i, vault.witnessScript, batch.coins[i]?.valueSats ?? 0n, ALL);

/** Signs a batch as the custodian with this key. Deterministic (RFC 6979). */
export function signBatch(signing: Signing, secret: Uint8Array): Partial {
  const transaction = toUnsigned(signing.batch);
  const signatures = signing.batch.coins.map((_, i) =>
    bitcoinScript.signature.encode(sign(digestAt(transaction, i, signing), secret, { prehash: false }), ALL),
  );
  return { publicKey: getPublicKey(secret), signatures };
}

/** The batch as a PSBT (BIP-174), base64, with the signatures there are. */
export function toPsbt(signing: Signing, partials: readonly Partial[]): string {
  const { batch, vault } = signing;
  const transaction = toUnsigned(batch);
  const psbt = new Psbt();
  psbt.setVersion(transaction.version);
  for (const [i, { hash, index, sequence }] of transaction.ins.entries()) {
    const witnessUtxo = { script: vault.script, value: batch.coins[i]?.valueSats ?? 0n };
    psbt.addInput({ hash, index, sequence, witnessUtxo, witnessScript: vault.witnessScript });
  }
  for (const { script, value } of transaction.outs) psbt.addOutput({ script, value });
  for (const { publicKey, signatures } of partials) {
    for (const [i, signature] of signatures.entries()) psbt.updateInput(i, { partialSig: [{ pubkey: publicKey, signature }] });
  }
  return psbt.toBase64();
}

function parsePsbt(text: string): Psbt {
  if (text.length > MAX_TEXT) throw fail('tunnel/partial', `a PSBT of ${text.length} characters`);
  try {
    return Psbt.fromBase64(text.trim());
  } catch (cause) {
    throw fail('tunnel/partial', `not a PSBT: ${(cause as Error).message}`, { cause });
  }
}

/** Whether a signature is one over this digest by this key: strict DER, low s, hash type ALL. */
function isGood(signature: Uint8Array, digest: Uint8Array, key: Uint8Array): boolean {
  try {
    const { signature: compact, hashType } = bitcoinScript.signature.decode(signature);
    const isStrict = hashType === ALL && equal(bitcoinScript.signature.encode(compact, hashType), signature);
    return isStrict && verify(compact, digest, key, { prehash: false });
  } catch {
    // The decoders throw errors of many kinds at bytes that are no signature.
    return false;
  }
}

/**
 * Reads what a PSBT of another custodian adds to a batch; nothing of it is believed.
 *
 * @throws `tunnel/partial` when it is none, of another transaction, or holds a signature that is not good.
 */
export function readPartials(text: string, signing: Signing): Partial[] {
  const transaction = toUnsigned(signing.batch);
  const psbt = parsePsbt(text);
  const theirs = psbt.data.globalMap.unsignedTx.toBuffer();
  if (!equal(theirs, transaction.toBuffer())) throw fail('tunnel/partial', 'a PSBT of another transaction than the batch');
  const partials = new Map<string, Partial>();
  for (const [i, { partialSig = [] }] of psbt.data.inputs.entries()) {
    for (const { pubkey, signature } of partialSig) {
      if (keyIndex(signing.vault, pubkey) === -1) throw fail('tunnel/partial', `a signature by ${toDigits(pubkey)}, which is no key of the vault`);
      if (!isGood(signature, digestAt(transaction, i, signing), pubkey)) {
        throw fail('tunnel/partial', `a signature by ${toDigits(pubkey)} of input ${i} that is not good`);
      }
      const partial = partials.get(toDigits(pubkey)) ?? { publicKey: pubkey, signatures: [] };
      partial.signatures.push(signature);
      partials.set(toDigits(pubkey), partial);
    }
  }
  return [...partials.values()].filter(({ signatures }) => signatures.length === transaction.ins.length);
}

/** The complete transaction, or `undefined` while fewer custodians have signed than must. */
export function assemble(signing: Signing, partials: readonly Partial[]): Transaction | undefined {
  const { vault } = signing;
  const inOrder = vault.publicKeys.flatMap((key) => partials.find(({ publicKey }) => equal(publicKey, key)) ?? []).slice(0, vault.required);
  if (inOrder.length < vault.required) return undefined;
  const transaction = toUnsigned(signing.batch);
  for (const i of transaction.ins.keys()) {
    // OP_CHECKMULTISIG takes one element more than it reads.
    transaction.setWitness(i, [new Uint8Array(), ...inOrder.map(({ signatures }) => signatures[i] as Uint8Array), vault.witnessScript]);
  }
  return transaction;
}
