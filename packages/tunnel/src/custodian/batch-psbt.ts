import { equal, toDigits } from '@hemid/protocol';
import { Psbt, type Transaction } from 'bitcoinjs-lib';
import { fail } from '../errors.ts';
import { toUnsigned } from './batch.ts';
import { keyIndex, publicKeyIn } from './vault-keys.ts';
import { digestAt, isGoodSignature, type Signing, signaturesIn, signDigest, toPsbtFields, toSignatureField, toWitness } from './vault-signing.ts';

/** The signatures of one custodian: as the vault's kind of script wants them, one for each input. */
export interface Partial {
  publicKey: Uint8Array;
  signatures: Uint8Array[];
}

/** A PSBT of a batch is much smaller; more than this is not read. */
const MAX_TEXT = 2_000_000;

/** Signs a batch as the custodian with this key. Deterministic. */
export function signBatch(signing: Signing, secret: Uint8Array): Partial {
  const transaction = toUnsigned(signing.batch);
  const { spending } = signing.vault;
  const signatures = signing.batch.coins.map((_, i) => signDigest(digestAt(transaction, i, signing), secret, spending));
  return { publicKey: publicKeyIn(signing.vault, secret), signatures };
}

/** The batch as a PSBT (BIP-174, BIP-371), base64, with the signatures there are. */
export function toPsbt(signing: Signing, partials: readonly Partial[]): string {
  const { batch, vault } = signing;
  const transaction = toUnsigned(batch);
  const psbt = new Psbt();
  psbt.setVersion(transaction.version);
  for (const [i, { hash, index, sequence }] of transaction.ins.entries()) {
    psbt.addInput({ hash, index, sequence, ...toPsbtFields(vault, batch.coins[i]?.valueSats ?? 0n) });
  }
  for (const { script, value } of transaction.outs) psbt.addOutput({ script, value });
  for (const { publicKey, signatures } of partials) {
    for (const [i, signature] of signatures.entries()) psbt.updateInput(i, toSignatureField(vault, publicKey, signature));
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
  for (const [i, input] of psbt.data.inputs.entries()) {
    for (const { pubkey, signature } of signaturesIn(input, signing.vault)) {
      if (keyIndex(signing.vault, pubkey) === -1) throw fail('tunnel/partial', `a signature by ${toDigits(pubkey)}, which is no key of the vault`);
      if (!isGoodSignature(signature, digestAt(transaction, i, signing), { key: pubkey, vault: signing.vault })) {
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
  const signers = vault.publicKeys
    .map((key) => partials.find(({ publicKey }) => equal(publicKey, key)))
    .filter((partial) => partial !== undefined)
    .slice(0, vault.required);
  if (signers.length < vault.required) return undefined;
  const transaction = toUnsigned(signing.batch);
  const inOrder = vault.publicKeys.map((key) => signers.find(({ publicKey }) => equal(publicKey, key)));
  for (const i of transaction.ins.keys()) {
    transaction.setWitness(
      i,
      toWitness(
        vault,
        inOrder.map((signer) => signer?.signatures[i]),
      ),
    );
  }
  return transaction;
}
