import { type BitcoinTip, type ChainSpec, decodeBitcoinHeader, equal, toDisplay, toHex } from '@hemid/protocol';
import { fail } from './errors.ts';
import { verifyHeaderRun } from './header-run.ts';
import type { Proof } from './proof.ts';
import { type ProvenProvenance, showBlock, showKeystone, showTransaction, subjectOf } from './provenance.ts';
import { verifyAnchor } from './verify-anchor.ts';
import { verifyBlocks, verifySeal, verifyTransaction } from './verify-blocks.ts';
import { verifyLock } from './verify-lock.ts';

/** What a proof is checked against: all that is trusted stands here. */
export interface VerifyOptions {
  spec: ChainSpec;
  /** A Bitcoin block that is known to be in the best chain; hash in internal order. */
  checkpoint: BitcoinTip;
  /** Bitcoin blocks that must stand on the publication: the spec's super-final depth unless said otherwise. */
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

/**
 * Checks a proof with nothing but a chain spec and a Bitcoin checkpoint (protocol section 11): pure, no clock, no
 * network.
 *
 * @returns what is proven, link by link, and what is not.
 * @throws `provenance/spec`, `…/bitcoin`, `…/block`, `…/seal`, `…/lock` or `…/anchor`: the link that does not hold.
 */
export function verifyProof(proof: Proof, { spec, checkpoint, confirmations = spec.genesis.finality.super }: VerifyOptions): ProvenProvenance {
  if (!equal(proof.spec, spec.genesisHash)) {
    throw fail('provenance/spec', `spec: the proof is of the chain ${toHex(proof.spec)}, and the chain spec that of ${toHex(spec.genesisHash)}`);
  }
  if (proof.lock !== undefined && proof.inclusion === undefined) {
    throw fail('provenance/form', 'this is no proof: it has a deposit and not the transaction that credits it');
  }
  const run = verifyHeaderRun(proof.bitcoin, { spec, checkpoint });
  const blocks = verifyBlocks(proof, spec);
  const shown = proof.inclusion && verifyTransaction(proof.inclusion, blocks.block);
  const lock = proof.lock && shown && verifyLock(proof.lock, run, { spec, block: blocks.block, ...shown });
  const { anchor, keystoneId } = verifyAnchor(proof.anchor, run, { blocks, needed: confirmations });
  const keystone = showKeystone(blocks.keystone, { id: keystoneId, sealedBy: verifySeal(blocks.keystone, proof.seal, spec) });

  const links = {
    ...(lock && { lock }),
    block: showBlock(blocks.block),
    ...(shown &&
      proof.inclusion && { transaction: showTransaction(shown.raw, { index: proof.inclusion.index, succeeded: shown.receipt.succeeded }) }),
  };
  return {
    subject: subjectOf(links),
    ...links,
    keystone,
    anchor,
    bitcoin: {
      checkpoint: { height: checkpoint.height, hash: toDisplay(checkpoint.hash) },
      tip: { height: run.tip.height, hash: toDisplay(run.tip.hash), time: decodeBitcoinHeader(run.tip.header).time },
      workBits: run.work.toString(2).length - 1,
    },
    doesNotProve: [...NOT_PROVEN, ...(lock === undefined ? [] : NOT_PROVEN_OF_DEPOSITS)],
  };
}
