import { displayBytes, isHemidError, type Publication, readMark, toDisplay } from '@hemid/protocol';
import { type Anchorable, buildAnchored, findAnchor, keystoneAbove, showAnchored, showPlace } from './build-anchored.ts';
import { buildRun } from './build-run.ts';
import { proveInclusion } from './merkle-branch.ts';
import type { L2Place, ProvenanceDeps } from './ports.ts';
import { PROOF_FORMAT, type Proof } from './proof.ts';
import { type PaymentLink, type Provenance, showLock, showPayment, showRequest, subjectOf } from './provenance.ts';
import { type FoundInBitcoin, type FoundWithdrawal, findSubject, type Subject, type SubjectId } from './subject.ts';
import { verifyProof } from './verify-proof.ts';

/** What a node says of where something comes from. */
export interface BuiltProof {
  /** The links that stand so far; all of them, and checked, if there is a proof. */
  provenance: Provenance;
  proof?: Proof;
  /** What the proof waits for, in a sentence. */
  missing?: string;
}

export interface ProofOptions {
  /** The Bitcoin block from which a reader of the proof will check; the lowest one that the proof needs if left out. */
  checkpointHeight?: number | undefined;
  /** Bitcoin headers that the proof has at most. */
  maxHeaders?: number;
}

/** Checking so many takes a node, which has other things to do, a second or two. */
const MAX_HEADERS = 20_000;

type Anchored = Anchorable & { keystone: L2Place; publication: Publication };
/** A subject with all its links. */
interface Complete {
  lock: Subject['lock'];
  first: Anchored;
  out: { found: FoundWithdrawal; payment: FoundInBitcoin; settlement: Anchored } | undefined;
}
/** A subject with what stands so far above its blocks. */
type Followed = Subject & { first?: Anchorable | undefined; settlement?: Anchorable | undefined };

const isAnchored = (one: Anchorable): one is Anchored => one.keystone !== undefined && one.publication !== undefined;

async function follow(deps: ProvenanceDeps, subject: Subject): Promise<Followed> {
  const { block, index, withdrawal } = subject;
  const settled = withdrawal?.settlement;
  return {
    ...subject,
    first: block && { block, index, ...(await findAnchor(deps, block)) },
    settlement: settled && { ...settled, ...(await findAnchor(deps, settled.block)) },
  };
}

function assemble(
  deps: ProvenanceDeps,
  { lock, first, out }: Complete,
  { checkpointHeight, maxHeaders = MAX_HEADERS }: ProofOptions,
): { proof: Proof; checkpoint: number } {
  const { spec, bitcoin } = deps;
  const tip = bitcoin.tip();
  const anchored = [first, ...(out === undefined ? [] : [out.settlement])];
  const naming = [
    ...anchored.map(({ keystone }) => keystone),
    ...(lock === undefined ? [] : [first.block]),
    ...(out === undefined ? [] : [out.settlement.block]),
  ];
  const named = naming.map(({ header }) => bitcoin.heightOf(displayBytes(header.extraData)) ?? tip.height);
  const published = anchored.map(({ publication }) => publication.height);
  const { checkpoint, run } = buildRun(deps, {
    lowest: Math.min(...named, ...published, lock?.height ?? tip.height, out?.payment.height ?? tip.height),
    highest: Math.min(tip.height, Math.max(...published) + spec.genesis.finality.super),
    checkpoint: checkpointHeight,
    maxHeaders,
  });
  const inBitcoin = ({ blockHash, height, index }: FoundInBitcoin) => proveInclusion(bitcoin.transactions(blockHash), { height, index });
  const settled = out && buildAnchored(deps, out.settlement);
  const proof: Proof = {
    format: PROOF_FORMAT,
    spec: spec.genesisHash,
    ...(lock && { lock: inBitcoin(lock) }),
    ...buildAnchored(deps, first),
    ...(out &&
      settled?.inclusion && {
        withdrawal: { id: Number(out.found.request.id), payment: inBitcoin(out.payment), settlement: { ...settled, inclusion: settled.inclusion } },
      }),
    bitcoin: run,
  };
  return { proof, checkpoint };
}

function showPaid(deps: ProvenanceDeps, { request, payment }: FoundWithdrawal, anchorHeight: number | undefined): PaymentLink | undefined {
  const batch = payment && readMark(payment.transaction.outputs);
  if (payment === undefined || batch === undefined || anchorHeight === undefined) return undefined;
  const { txid } = payment.transaction;
  return showPayment(request, { txid, vout: Number(request.id - batch.firstId), place: showPlace(deps, payment, 1), anchorHeight });
}

/** The links of a subject that has no proof yet, as the node sees them. */
function showSubject(deps: ProvenanceDeps, { lock, withdrawal, first, settlement }: Followed): Provenance {
  const payment = withdrawal && showPaid(deps, withdrawal, first?.publication?.height);
  const links = {
    ...(lock && { lock: showLock(lock.deposit, showPlace(deps, lock, 1)) }),
    ...(first && showAnchored(deps, first)),
    ...(withdrawal && { withdrawal: showRequest(withdrawal.request, deps.spec) }),
    ...(payment && { payment }),
    ...(settlement && { settlement: showAnchored(deps, settlement) }),
  };
  return { subject: subjectOf(links), ...links };
}

function whyNotCredited({ spec, chain, bitcoin }: ProvenanceDeps, height: number): string {
  const due = height + spec.genesis.tunnel.confirmations - 1;
  const seen = bitcoin.heightOf(displayBytes(chain.head('latest').header.extraData)) ?? 0;
  if (seen >= due) return `the deposit is not credited yet: it is due, or it was credited from a Bitcoin block that is no longer on the best chain`;
  return `the deposit is not credited yet: it is due once the L2 chain sees Bitcoin block ${due}, and it sees block ${seen} now`;
}

function whyNotAnchored(deps: ProvenanceDeps, { block, keystone }: Anchorable): string {
  const first = keystoneAbove(deps, block);
  return `keystone ${first} above block ${block.header.number} is not ${keystone === undefined ? 'built' : 'published in Bitcoin'} yet`;
}

function whyNotSettled({ spec }: ProvenanceDeps, { request, state }: FoundWithdrawal): string {
  const { id } = request;
  if (state.settledBy !== undefined) {
    return `withdrawal ${id} is settled, and Bitcoin transaction ${toDisplay(state.settledBy)}, which paid it, is not on the best Bitcoin chain any more`;
  }
  if (state.status === 'requested') return `withdrawal ${id} is not paid yet: its block is not final`;
  const order = state.before === 0n ? 'it is the next to be paid' : `${state.before} requested earlier are paid before it`;
  return `withdrawal ${id} is not settled yet: its block is final and ${order}; a payment is settled once it has ${spec.genesis.tunnel.confirmations} confirmations`;
}

/** The subject with all its links, or what it waits for. */
function complete(deps: ProvenanceDeps, { lock, withdrawal, first, settlement }: Followed): Complete | string {
  if (first === undefined) return whyNotCredited(deps, lock?.height ?? 0);
  if (!isAnchored(first)) return whyNotAnchored(deps, first);
  if (withdrawal === undefined) return { lock, first, out: undefined };
  if (settlement === undefined || withdrawal.payment === undefined) return whyNotSettled(deps, withdrawal);
  if (!isAnchored(settlement)) return whyNotAnchored(deps, settlement);
  return { lock, first, out: { found: withdrawal, payment: withdrawal.payment, settlement } };
}

/**
 * Builds the proof of where a deposit, an L2 transaction or an L2 block comes from, or where a withdrawal went (protocol
 * section 11), and checks it.
 *
 * @throws `provenance/not-found`, `provenance/checkpoint`
 */
export async function buildProof(deps: ProvenanceDeps, id: SubjectId, options: ProofOptions = {}): Promise<BuiltProof> {
  const { spec, bitcoin } = deps;
  const followed = await follow(deps, await findSubject(deps, id));
  const provenance = showSubject(deps, followed);
  const whole = complete(deps, followed);
  if (typeof whole === 'string') return { provenance, missing: whole };
  try {
    const { proof, checkpoint: height } = assemble(deps, whole, options);
    const hash = bitcoin.ancestor(proof.bitcoin.tip, height)?.hash ?? new Uint8Array(32);
    return { provenance: verifyProof(proof, { spec, checkpoint: { height, hash }, confirmations: 0 }), proof };
  } catch (error) {
    if (!isHemidError(error) || error.severity === 'fatal' || error.code === 'provenance/checkpoint') throw error;
    return { provenance, missing: error.message };
  }
}
