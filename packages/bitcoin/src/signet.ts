import { type BitcoinTransaction, type ChainSpec, concat, toDigits, toDisplay } from '@hemid/protocol';
import { Transaction } from 'bitcoinjs-lib';
import { type BitcoinBlock, isWitnessCommitment, merkleRoot } from './block.ts';
import { fail } from './errors.ts';
import { legacyDigest } from './legacy-digest.ts';
import { areSigned } from './multisig.ts';
import { hasMinimalPushes, readPushes, readScriptForm } from './script-form.ts';
import { isStrictDer, verifyEcdsa } from './signature.ts';
import { decodeSolution, encodePush, type SignetSolution, splitCommitment } from './signet-solution.ts';

/** A challenge this node can judge: `dummy` says that OP_CHECKMULTISIG eats one item more. */
interface Challenge {
  script: Uint8Array;
  required: number;
  keys: Uint8Array[];
  dummy: boolean;
}

const MAX_SCRIPT_SIZE = 10_000;
const MAX_ITEM_SIZE = 520;
const MAX_STACK = 1000;
const OP_RETURN = 0x6a;

/** @throws `bitcoin/signet-challenge` naming the kind of a challenge that this node cannot judge exactly. */
function readChallenge(script: Uint8Array): Challenge {
  const form = readScriptForm(script);
  if (hasMinimalPushes(script)) {
    if (form.type === 'multisig') return { script, required: form.required, keys: form.keys, dummy: true };
    if (form.type === 'pubkey') return { script, required: 1, keys: [form.key], dummy: false };
  }
  throw fail(
    'bitcoin/signet-challenge',
    `the signet challenge ${toDigits(script)} is a "${form.type}" script: this node judges bare multisig (m of n keys) and one key with OP_CHECKSIG`,
    { details: { kind: form.type } },
  );
}

/** The coinbase's id with another script in one output. */
function txidWith(coinbase: BitcoinTransaction, { vout, script }: { vout: number; script: Uint8Array }): Uint8Array {
  const changed = new Transaction();
  changed.version = coinbase.version;
  changed.locktime = coinbase.locktime;
  changed.ins = coinbase.inputs.map(({ txid, vout: index, scriptSig, sequence }) => ({
    hash: txid,
    index,
    script: scriptSig,
    sequence,
    witness: [],
  }));
  changed.outs = coinbase.outputs.map((output, i) => ({ script: i === vout ? script : output.script, value: BigInt.asIntN(64, output.valueSats) }));
  return changed.getHash();
}

/** BIP325's second virtual transaction, without its scriptSig: what the solution signs. */
function toSign(block: BitcoinBlock, challenge: Uint8Array, signedRoot: Uint8Array): Transaction {
  const { header } = block;
  const blockData = concat(header.subarray(0, 36), signedRoot, header.subarray(68, 72));
  const spent = new Transaction();
  spent.version = 0;
  spent.addInput(new Uint8Array(32), 0xffffffff, 0, concat(Uint8Array.of(0), encodePush(blockData)));
  spent.addOutput(challenge, 0n);
  const spending = new Transaction();
  spending.version = 0;
  spending.addInput(spent.getHash(), 0, 0);
  spending.addOutput(Uint8Array.of(OP_RETURN), 0n);
  return spending;
}

/** Runs the challenge as Core does for blocks: strict DER, null dummy, no other policy. */
function isSolved({ script, required, keys, dummy }: Challenge, { scriptSig, witness }: SignetSolution, spending: Transaction): boolean {
  const stack = readPushes(scriptSig);
  if (stack === undefined || witness.length > 0 || scriptSig.length > MAX_SCRIPT_SIZE) return false;
  if (stack.some((item) => item.length > MAX_ITEM_SIZE) || stack.length + keys.length + 2 > MAX_STACK) return false;
  if (stack.length < required + (dummy ? 1 : 0)) return false;
  if (dummy && (stack.at(-required - 1)?.length ?? 0) > 0) return false;
  return areSigned(stack.slice(-required), keys, (signature, key) => {
    if (signature.length === 0 || !isStrictDer(signature)) return false;
    return verifyEcdsa(signature, legacyDigest(spending, 0, script, signature.at(-1) ?? 0), key);
  });
}

/**
 * Why a signet's block does not solve the challenge (BIP325; Core's signet.cpp), or `undefined` when it does. The
 * block's merkle root and witness commitment must have been checked.
 *
 * @throws `bitcoin/signet-challenge` for a challenge of a kind that this node cannot judge.
 */
export function checkSignetSolution(block: BitcoinBlock, challenge: Uint8Array): string | undefined {
  const readable = readChallenge(challenge);
  const [coinbase, ...others] = block.transactions as [BitcoinTransaction, ...BitcoinTransaction[]];
  const vout = coinbase.outputs.findLastIndex(({ script }) => isWitnessCommitment(script));
  const commitment = coinbase.outputs[vout]?.script;
  if (commitment === undefined) return 'a signet block needs a witness commitment';
  const split = splitCommitment(commitment);
  if (split === undefined) return 'it carries no solution of the signet challenge';
  const solution = decodeSolution(split.section);
  if (solution === undefined) return 'its solution of the signet challenge does not parse';
  const leaves = [txidWith(coinbase, { vout, script: split.cleared }), ...others.map(({ txid }) => txid)];
  const spending = toSign(block, challenge, merkleRoot(leaves).root);
  return isSolved(readable, solution, spending) ? undefined : 'it does not solve the signet challenge';
}

/** Throws `bitcoin/block-invalid` for a full block that its network does not allow. */
export type BlockCheck = (block: BitcoinBlock) => void;

/**
 * What a full block must satisfy beyond its header before it feeds the index, by network: on signet the solution of
 * the challenge, elsewhere nothing.
 *
 * @throws `bitcoin/signet-challenge` at once for a challenge of a kind that this node cannot judge.
 */
export function createBlockCheck({ signetChallenge }: Pick<ChainSpec['genesis']['bitcoin'], 'signetChallenge'>): BlockCheck {
  if (signetChallenge === undefined) return () => undefined;
  readChallenge(signetChallenge);
  return (block) => {
    const rule = checkSignetSolution(block, signetChallenge);
    if (rule !== undefined) throw fail('bitcoin/block-invalid', `Bitcoin block ${toDisplay(block.hash)} is invalid: ${rule}`);
  };
}
