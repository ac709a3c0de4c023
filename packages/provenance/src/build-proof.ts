import {
  concat,
  decodeBitcoinHeader,
  displayBytes,
  encodeConsensusReceipt,
  encodeHeader,
  fromHex,
  HISTORY_ADDRESS,
  isHemidError,
  type Publication,
} from '@hemid/protocol';
import { fail } from './errors.ts';
import { lowestHeight, runStart } from './header-run.ts';
import { proveInclusion } from './merkle-branch.ts';
import type { L2Place, ProvenanceDeps } from './ports.ts';
import { PROOF_FORMAT, type Proof } from './proof.ts';
import { type Provenance, showBlock, showLock, showTransaction, subjectOf } from './provenance.ts';
import { findSubject, type Subject, type SubjectId } from './subject.ts';
import { proveListItem } from './trie-list.ts';
import { historySlot } from './verify-blocks.ts';
import { verifyProof } from './verify-proof.ts';

/** What a node says of where something comes from. */
export interface BuiltProof {
  /** The links that stand so far; all of them, and checked, if there is a proof. */
  provenance: Provenance;
  proof?: Proof;
  /** What the proof waits for, in a sentence. */
  missing?: string;
}

/** Checking so many takes a node, which has other things to do, a second or two. */
const MAX_HEADERS = 20_000;

function headersOf({ spec, bitcoin }: ProvenanceDeps, { from, tip }: { from: number; tip: { hash: Uint8Array; height: number } }): Uint8Array {
  const { genesisHeight, headersBefore } = spec.genesis.bitcoin;
  const parts: Uint8Array[] = [];
  for (let height = from; height <= tip.height; height += 1) {
    const header = height < genesisHeight ? headersBefore[height - lowestHeight(spec)] : bitcoin.ancestor(tip.hash, height)?.header;
    if (header !== undefined) parts.push(header);
  }
  return concat(...parts);
}

async function proveHistory({ chain, spec }: ProvenanceDeps, { keystone, number }: { keystone: L2Place; number: bigint }): Promise<Proof['history']> {
  const period = BigInt(spec.genesis.keystonePeriod);
  const slots = [number - 1n, ...(number > period ? [number - period] : [])].map(historySlot);
  const { accountProof, storageProof } = await chain.stateAt(keystone).proof(HISTORY_ADDRESS, slots);
  const [parent = [], previous] = storageProof.map(({ proof }) => proof.map(fromHex));
  return { account: accountProof.map(fromHex), parent, ...(previous && { previous }) };
}

/** The L2 headers from a block to the keystone block above it. */
function headersBetween({ chain }: ProvenanceDeps, from: L2Place, to: L2Place): Uint8Array[] {
  const headers: Uint8Array[] = [];
  for (let number = from.header.number; number <= to.header.number; number += 1n) {
    const place = chain.headerAt(number);
    if (place !== undefined) headers.push(encodeHeader(place.header));
  }
  return headers;
}

interface Ends {
  subject: Subject & { block: L2Place };
  keystone: L2Place;
  publication: Publication;
  checkpointHeight: number | undefined;
}

async function assemble(
  deps: ProvenanceDeps,
  { subject, keystone, publication, checkpointHeight }: Ends,
): Promise<{ proof: Proof; checkpointHeight: number }> {
  const { spec, chain, bitcoin } = deps;
  const { lock, block, index } = subject;
  const tip = bitcoin.tip();
  const named = [keystone, ...(lock === undefined ? [] : [block])].map(
    ({ header }) => bitcoin.heightOf(displayBytes(header.extraData)) ?? tip.height,
  );
  const lowest = Math.min(...named, publication.height, lock?.height ?? tip.height);
  const checkpoint = checkpointHeight ?? lowest;
  if (checkpoint > lowest) throw fail('provenance/checkpoint', `the checkpoint must not be above Bitcoin block ${lowest}, where the proof begins`);
  const from = runStart(spec, checkpoint);
  if (tip.height - from >= MAX_HEADERS)
    throw fail(
      'provenance/checkpoint',
      `a proof from Bitcoin block ${checkpoint} on has ${tip.height - from} headers, at most ${MAX_HEADERS} are given`,
    );

  const transactions = index === undefined ? [] : (chain.block(block.hash)?.block.transactions ?? []);
  const receipts = index === undefined ? [] : (chain.receipts(block.hash) ?? []);
  const proof: Proof = {
    format: PROOF_FORMAT,
    spec: spec.genesisHash,
    ...(lock && { lock: proveInclusion(bitcoin.transactions(lock.blockHash), lock) }),
    ...(index !== undefined && {
      inclusion: { index, transaction: proveListItem(transactions, index), receipt: proveListItem(receipts.map(encodeConsensusReceipt), index) },
    }),
    headers: headersBetween(deps, block, keystone),
    history: await proveHistory(deps, { keystone, number: keystone.header.number }),
    seal: chain.block(keystone.hash)?.seal ?? new Uint8Array(),
    anchor: proveInclusion(bitcoin.transactions(publication.blockHash), { height: publication.height, index: publication.txIndex }),
    bitcoin: { height: from, headers: headersOf(deps, { from, tip }), tip: tip.hash },
  };
  return { proof, checkpointHeight: checkpoint };
}

/** The links of a subject that has no proof yet, as the node sees them. */
function showSubject({ chain, bitcoin }: ProvenanceDeps, { lock, block, index }: Subject): Provenance {
  const tip = bitcoin.tip();
  const raw = block && index !== undefined ? chain.block(block.hash)?.block.transactions[index] : undefined;
  const receipt = block && index !== undefined ? chain.receipts(block.hash)?.[index] : undefined;
  const links = {
    ...(lock && {
      lock: showLock(lock.deposit, {
        height: lock.height,
        blockHash: lock.blockHash,
        time: decodeBitcoinHeader(bitcoin.ancestor(lock.blockHash, lock.height)?.header ?? new Uint8Array(80)).time,
        confirmations: tip.height - lock.height + 1,
      }),
    }),
    ...(block && { block: showBlock(block) }),
    ...(raw && receipt && index !== undefined && { transaction: showTransaction(raw, { index, succeeded: receipt.succeeded }) }),
  };
  return { subject: subjectOf(links), ...links };
}

function whyNotCredited({ spec, chain, bitcoin }: ProvenanceDeps, height: number): string {
  const due = height + spec.genesis.tunnel.confirmations - 1;
  const seen = bitcoin.heightOf(displayBytes(chain.head('latest').header.extraData)) ?? 0;
  if (seen >= due) return `the deposit is not credited yet: it is due, or it was credited from a Bitcoin block that is no longer on the best chain`;
  return `the deposit is not credited yet: it is due once the L2 chain sees Bitcoin block ${due}, and it sees block ${seen} now`;
}

/**
 * Builds the proof of where a deposit, an L2 transaction or an L2 block comes from (protocol section 11), and checks it.
 *
 * @param options `checkpointHeight`: the Bitcoin block from which a reader of the proof will check; the lowest one that the
 * proof needs if left out.
 * @throws `provenance/not-found`, `provenance/checkpoint`
 */
export async function buildProof(deps: ProvenanceDeps, id: SubjectId, options: { checkpointHeight?: number | undefined } = {}): Promise<BuiltProof> {
  const { spec, chain, bitcoin, finality } = deps;
  const subject = findSubject(deps, id);
  const provenance = showSubject(deps, subject);
  const { block, lock } = subject;
  if (block === undefined) return { provenance, missing: whyNotCredited(deps, lock?.height ?? 0) };
  const period = BigInt(spec.genesis.keystonePeriod);
  const first = (block.header.number / period + 1n) * period;
  const next = chain.headerAt(block.header.number + 1n);
  const best = next && (await finality.of(next)).best;
  if (best === undefined) {
    const isBuilt = chain.headerAt(first) !== undefined;
    return { provenance, missing: `keystone ${first} above block ${block.header.number} is not ${isBuilt ? 'published in Bitcoin' : 'built'} yet` };
  }
  try {
    const { proof, checkpointHeight } = await assemble(deps, { subject: { ...subject, block }, ...best, checkpointHeight: options.checkpointHeight });
    const hash = bitcoin.ancestor(proof.bitcoin.tip, checkpointHeight)?.hash ?? new Uint8Array(32);
    return { provenance: verifyProof(proof, { spec, checkpoint: { height: checkpointHeight, hash }, confirmations: 0 }), proof };
  } catch (error) {
    if (!isHemidError(error) || error.severity === 'fatal' || error.code === 'provenance/checkpoint') throw error;
    return { provenance, missing: error.message };
  }
}
