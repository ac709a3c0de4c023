import { type BitcoinTip, type ChainSpec, decodeBitcoinHeader, equal, toDisplay, toHex } from '@hemid/protocol';
import { fail } from './errors.ts';
import { verifyHeaderRun } from './header-run.ts';
import type { Proof } from './proof.ts';
import { type ProvenProvenance, subjectOf } from './provenance.ts';
import { verifyAnchored } from './verify-anchored.ts';
import { verifyLock } from './verify-lock.ts';
import { verifyWithdrawal } from './verify-withdrawal.ts';

/** What a proof is checked against: all that is trusted stands here. */
export interface VerifyOptions {
  spec: ChainSpec;
  /** A Bitcoin block that is known to be in the best chain; hash in internal order. */
  checkpoint: BitcoinTip;
  /** Bitcoin blocks that must stand on every publication: the spec's super-final depth unless said otherwise. */
  confirmations?: number | undefined;
}

const NOT_PROVEN: readonly string[] = [
  'that the block was executed correctly: it was sealed by the sequencer and anchored in Bitcoin, and verifiers execute it',
  'that no other branch of the L2 chain exists, or wins',
  'that the Bitcoin headers end at the best tip of today',
  'that the checkpoint and the chain spec are the right ones: they were given',
];
const NOT_PROVEN_OF_DEPOSITS: readonly string[] = [
  'that the Bitcoin transaction spends no output of the vault, which would make it no deposit: verifiers check it',
  'that the coins are still in the vault, or still with the recipient',
];
const NOT_PROVEN_OF_WITHDRAWALS: readonly string[] = [
  'that the payment spends outputs of the vault and takes no more from it than it pays: verifiers check it, and record it as settled only then',
  'that the settling block stands on the block with the request: both name the same withdrawal, and verifiers execute what lies between',
  'that the coins are still where they were paid to',
];

/**
 * Checks a proof with nothing but a chain spec and a Bitcoin checkpoint (protocol section 11): pure, no clock, no
 * network.
 *
 * @returns what is proven, link by link, and what is not.
 * @throws `provenance/form`, `…/spec`, `…/bitcoin`, `…/block`, `…/seal`, `…/anchor`, `…/lock`, `…/request`, `…/payment` or
 * `…/settlement`: the link that does not hold.
 */
export function verifyProof(proof: Proof, { spec, checkpoint, confirmations = spec.genesis.finality.super }: VerifyOptions): ProvenProvenance {
  if (!equal(proof.spec, spec.genesisHash)) {
    throw fail('provenance/spec', `spec: the proof is of the chain ${toHex(proof.spec)}, and the chain spec that of ${toHex(spec.genesisHash)}`);
  }
  if ((proof.lock ?? proof.withdrawal) !== undefined && proof.inclusion === undefined) {
    throw fail('provenance/form', 'this is no proof: it is of a deposit or a withdrawal, and the L2 transaction that belongs to it is missing');
  }
  const run = verifyHeaderRun(proof.bitcoin, { spec, checkpoint });
  const terms = { spec, needed: confirmations };
  const first = verifyAnchored(proof, run, terms);
  const { block, shown } = first;
  const lock = proof.lock && shown && verifyLock(proof.lock, run, { spec, block, shown });
  const out = proof.withdrawal && shown && verifyWithdrawal(proof.withdrawal, run, { terms, request: { ...first, shown } });

  const links = { ...(lock && { lock }), ...first.links, ...out };
  return {
    subject: subjectOf(links),
    ...links,
    bitcoin: {
      checkpoint: { height: checkpoint.height, hash: toDisplay(checkpoint.hash) },
      tip: { height: run.tip.height, hash: toDisplay(run.tip.hash), time: decodeBitcoinHeader(run.tip.header).time },
      workBits: run.work.toString(2).length - 1,
    },
    doesNotProve: [...NOT_PROVEN, ...(lock === undefined ? [] : NOT_PROVEN_OF_DEPOSITS), ...(out === undefined ? [] : NOT_PROVEN_OF_WITHDRAWALS)],
  };
}
