import { equal } from '@hemid/protocol';
import { ripemd160 } from '@noble/hashes/legacy.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { Transaction } from 'bitcoinjs-lib';
import { legacyDigest } from '../legacy-digest.ts';
import { areSigned } from '../multisig.ts';
import { hasMinimalPushes, readPushes, readScriptForm, type ScriptForm } from '../script-form.ts';
import { isLowS, isPlainKey, isStrictDer, verifyEcdsa, verifySchnorr } from '../signature.ts';
import type { Coin } from './layout.ts';

/** `consensus`: what a block may hold. `policy`: what Core relays, which is stricter. */
export type ScriptRules = 'consensus' | 'policy';

export interface InputToVerify {
  tx: Transaction;
  index: number;
  /** What every input of the transaction spends, in order: taproot signs all of it. */
  coins: readonly Coin[];
  rules: ScriptRules;
}

/** Why an input may not spend what it does. Reasons are Core's; `unsupported` is said of scripts this chain does not run. */
export interface ScriptFailure {
  reason: string;
  unsupported: boolean;
}

const OFF = {
  evalFalse: 'Script evaluated without error but finished with a false/empty top stack element',
  equalVerify: 'Script failed an OP_EQUALVERIFY operation',
  stackSize: 'Operation not valid with the current stack size',
  cleanStack: 'Stack size must be exactly one after execution',
  pushSize: 'Push value size limit exceeded',
  minimalData: 'Data push larger than necessary',
  nullFail: 'Signature must be zero for failed CHECK(MULTI)SIG operation',
  nullDummy: 'Dummy CHECKMULTISIG argument must be zero',
  der: 'Non-canonical DER signature',
  highS: 'Non-canonical signature: S value is unnecessarily high',
  hashType: 'Signature hash type missing or not understood',
  keyType: 'Public key is neither compressed or uncompressed',
  witnessKeyType: 'Using non-compressed keys in segwit',
  witnessMismatch: 'Witness program hash mismatch',
  witnessEmpty: 'Witness program was passed an empty witness',
  witnessMalleated: 'Witness requires empty scriptSig',
  witnessUnexpected: 'Witness provided for non-witness script',
  controlBlock: 'Invalid Taproot control block size',
  schnorrSize: 'Invalid Schnorr signature size',
  schnorrHashType: 'Invalid Schnorr signature hash type',
  schnorr: 'Invalid Schnorr signature',
} as const;

/** A failed check, thrown inside this file only: scripts end in many places. */
class Failed {
  readonly failure: ScriptFailure;
  constructor(reason: string, unsupported = false) {
    this.failure = { reason, unsupported };
  }
}

/** Runs what an input spends: P2PKH, P2WPKH, P2WSH multisig, P2TR by key. `undefined` means it may. */
export function verifyInput(input: InputToVerify): ScriptFailure | undefined {
  try {
    const form = readScriptForm(coinOf(input).script);
    if (form.type === 'pubkeyhash') spendKeyHash(input, form.hash);
    else if (form.type === 'witness_v0_keyhash') spendWitnessKeyHash(input, form.hash);
    else if (form.type === 'witness_v0_scripthash') spendWitnessScriptHash(input, form.hash);
    else if (form.type === 'witness_v1_taproot') spendTaproot(input, form.key);
    else throw new Failed(`spending a ${form.type} output is not supported by the embedded chain`, true);
    return undefined;
  } catch (error) {
    if (error instanceof Failed) return error.failure;
    throw error;
  }
}

const coinOf = ({ coins, index }: InputToVerify): Coin => coins[index] as Coin;
const inputOf = ({ tx, index }: InputToVerify): Transaction['ins'][number] => tx.ins[index] as Transaction['ins'][number];
const hash160 = (data: Uint8Array): Uint8Array => ripemd160(sha256(data));

/** The digest that a signature signs, by its hash type. */
type Digest = (hashType: number) => Uint8Array;

function spendKeyHash(input: InputToVerify, hash: Uint8Array): void {
  const { script, witness } = inputOf(input);
  const stack = readPushes(script);
  if (stack === undefined) throw new Failed('a scriptSig that does more than push is not supported by the embedded chain', true);
  if (stack.some((item) => item.length > 520)) throw new Failed(OFF.pushSize);
  if (input.rules === 'policy' && !hasMinimalPushes(script)) throw new Failed(OFF.minimalData);
  const [signature, key] = stack.slice(-2);
  if (signature === undefined || key === undefined) throw new Failed(OFF.stackSize);
  if (!equal(hash160(key), hash)) throw new Failed(OFF.equalVerify);
  const digest: Digest = (type) => legacyDigest(input.tx, input.index, coinOf(input).script, type);
  checkSignature(input.rules, { signature, key, digest, keys: 'legacy' });
  if (input.rules === 'policy' && stack.length !== 2) throw new Failed(OFF.cleanStack);
  if (witness.length > 0) throw new Failed(OFF.witnessUnexpected);
}

function spendWitnessKeyHash(input: InputToVerify, hash: Uint8Array): void {
  const [signature, key, ...more] = witnessOf(input);
  if (signature === undefined || key === undefined || more.length > 0) throw new Failed(OFF.witnessMismatch);
  if (signature.length > 520 || key.length > 520) throw new Failed(OFF.pushSize);
  if (!equal(hash160(key), hash)) throw new Failed(OFF.equalVerify);
  const script = Uint8Array.of(0x76, 0xa9, 20, ...hash, 0x88, 0xac);
  checkSignature(input.rules, { signature, key, digest: witnessDigest(input, script), keys: 'witness' });
}

function spendWitnessScriptHash(input: InputToVerify, hash: Uint8Array): void {
  const witness = witnessOf(input);
  const script = witness.at(-1);
  if (script === undefined) throw new Failed(OFF.witnessEmpty);
  if (!equal(sha256(script), hash)) throw new Failed(OFF.witnessMismatch);
  const form = readScriptForm(script);
  if (form.type !== 'multisig') {
    throw new Failed(`a P2WSH script that is ${form.type} and not multisig is not supported by the embedded chain`, true);
  }
  const stack = witness.slice(0, -1);
  if (stack.some((item) => item.length > 520)) throw new Failed(OFF.pushSize);
  checkMultisig(input, { form, script, stack });
}

function witnessOf(input: InputToVerify): Uint8Array[] {
  const { script, witness } = inputOf(input);
  if (script.length > 0) throw new Failed(OFF.witnessMalleated);
  return witness;
}

const witnessDigest =
  (input: InputToVerify, script: Uint8Array): Digest =>
  (type) =>
    input.tx.hashForWitnessV0(input.index, script, coinOf(input).valueSats, type);

interface SignatureCheck {
  signature: Uint8Array;
  key: Uint8Array;
  digest: Digest;
  keys: 'legacy' | 'witness';
}

/** Whether the signature is good; throws when its or the key's form is refused. An empty one is never good. */
function isSigned(rules: ScriptRules, { signature, key, digest, keys }: SignatureCheck): boolean {
  if (signature.length > 0) {
    const hashType = signature.at(-1) ?? 0;
    if (!isStrictDer(signature)) throw new Failed(OFF.der);
    if (rules === 'policy' && !isLowS(signature)) throw new Failed(OFF.highS);
    if (rules === 'policy' && ((hashType & 0x7f) < 1 || (hashType & 0x7f) > 3)) throw new Failed(OFF.hashType);
  }
  if (rules === 'policy' && !isPlainKey(key)) throw new Failed(OFF.keyType);
  if (rules === 'policy' && keys === 'witness' && key.length !== 33) throw new Failed(OFF.witnessKeyType);
  return signature.length > 0 && verifyEcdsa(signature, digest(signature.at(-1) ?? 0), key);
}

/** OP_CHECKSIG as the last operation. */
function checkSignature(rules: ScriptRules, check: SignatureCheck): void {
  if (isSigned(rules, check)) return;
  throw new Failed(rules === 'policy' && check.signature.length > 0 ? OFF.nullFail : OFF.evalFalse);
}

/** OP_CHECKMULTISIG as the last operation. */
function checkMultisig(
  input: InputToVerify,
  { form, script, stack }: { form: ScriptForm & { type: 'multisig' }; script: Uint8Array; stack: Uint8Array[] },
): void {
  if (stack.length < form.required + 1) throw new Failed(OFF.stackSize);
  const signatures = stack.slice(-form.required);
  const dummy = stack[stack.length - form.required - 1] as Uint8Array;
  const digest = witnessDigest(input, script);
  const signed = areSigned(signatures, form.keys, (signature, key) => isSigned(input.rules, { signature, key, digest, keys: 'witness' }));
  if (!signed && input.rules === 'policy' && signatures.some(({ length }) => length > 0)) throw new Failed(OFF.nullFail);
  if (dummy.length > 0) throw new Failed(OFF.nullDummy);
  if (stack.length !== form.required + 1) throw new Failed(OFF.cleanStack);
  if (!signed) throw new Failed(OFF.evalFalse);
}

/** Whether bytes have the size of what a taproot spend by script ends with (BIP341). */
const isControlBlock = ({ length }: Uint8Array): boolean => length >= 33 && length <= 33 + 32 * 128 && (length - 33) % 32 === 0;

/** BIP341, spending by key: the output's key signs. */
function spendTaproot(input: InputToVerify, key: Uint8Array): void {
  const witness = witnessOf(input);
  if (witness.length === 0) throw new Failed(OFF.witnessEmpty);
  const annex = witness.length >= 2 && witness.at(-1)?.[0] === 0x50 ? witness.at(-1) : undefined;
  const [signature, ...more] = annex === undefined ? witness : witness.slice(0, -1);
  if (more.length > 0 && !isControlBlock(more.at(-1) as Uint8Array)) throw new Failed(OFF.controlBlock);
  if (more.length > 0) throw new Failed('spending a taproot output by script is not supported by the embedded chain', true);
  if (signature === undefined || (signature.length !== 64 && signature.length !== 65)) throw new Failed(OFF.schnorrSize);
  const hashType = signature[64] ?? 0;
  const known = [0x00, 0x01, 0x02, 0x03, 0x81, 0x82, 0x83].includes(hashType);
  if (!known || (signature.length === 65 && hashType === 0)) throw new Failed(OFF.schnorrHashType);
  if ((hashType & 3) === Transaction.SIGHASH_SINGLE && input.index >= input.tx.outs.length) throw new Failed(OFF.schnorrHashType);
  const scripts = input.coins.map(({ script }) => script);
  const values = input.coins.map(({ valueSats }) => valueSats);
  const digest = input.tx.hashForWitnessV1(input.index, scripts, values, hashType, undefined, annex);
  if (!verifySchnorr(signature.subarray(0, 64), digest, key)) throw new Failed(OFF.schnorr);
}
