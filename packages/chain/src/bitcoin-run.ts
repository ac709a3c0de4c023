import type { BlockStore, ChainHeader, HeaderChain } from '@hemid/bitcoin';
import { type Attributes, type BitcoinTip, decodeBitcoinHeader, equal, hashBitcoinHeader, isHemidError } from '@hemid/protocol';
import { invalidBlock } from './errors.ts';

/** Most headers of a run that is longer than it must be to win (protocol 4.2). */
const MAX_RUN = 30;
/** A run is lengthened to this many headers; to {@link MAX_RUN} when more are missing. */
const USUAL_RUN = 8;

/**
 * Checks a block's run of Bitcoin headers against its parent's tip and keeps the headers.
 *
 * @returns the new light tip.
 * @throws `chain/block-invalid` naming the rule.
 */
export async function acceptRun(headers: HeaderChain, parentTip: BitcoinTip, attributes: Attributes): Promise<ChainHeader> {
  const run = attributes.headers;
  const first = run[0];
  if (first === undefined) throw invalidBlock('bitcoin-run-empty', 'the attributes transaction carries no Bitcoin header');
  for (const [i, header] of run.entries()) {
    const previous = run[i - 1];
    if (previous !== undefined && !equal(decodeBitcoinHeader(header).previous, hashBitcoinHeader(previous))) {
      throw invalidBlock('bitcoin-run-broken', 'the Bitcoin headers are not one connected run');
    }
  }
  const fork = decodeBitcoinHeader(first).previous;
  if (headers.read(fork) === undefined || !headers.isAncestor(fork, parentTip.hash)) {
    throw invalidBlock('bitcoin-run-detached', "the run of Bitcoin headers does not start from the parent's Bitcoin tip or an ancestor of it");
  }
  const firstHash = hashBitcoinHeader(first);
  if (headers.read(firstHash) !== undefined && headers.isAncestor(firstHash, parentTip.hash)) {
    throw invalidBlock('bitcoin-run-repeats', "the run of Bitcoin headers repeats an ancestor of the parent's Bitcoin tip");
  }
  const last = run[run.length - 1] ?? first;
  if (!equal(hashBitcoinHeader(last), attributes.tip)) {
    throw invalidBlock('bitcoin-tip-mismatch', 'the claimed Bitcoin tip is not the last header of the run');
  }
  const placed = await addRun(headers, run);
  const work = headers.read(parentTip.hash)?.work ?? 0n;
  const tip = placed[placed.length - 1] as ChainHeader;
  if (tip.work <= work) {
    throw invalidBlock('bitcoin-run-too-light', "the run of Bitcoin headers has no more work than the parent's Bitcoin tip");
  }
  const beforeLast = placed[placed.length - 2];
  if (run.length > MAX_RUN && beforeLast !== undefined && beforeLast.work > work) {
    throw invalidBlock('bitcoin-run-too-long', `a run of more than ${MAX_RUN} Bitcoin headers is longer than it needs to be`);
  }
  return tip;
}

async function addRun(headers: HeaderChain, run: Uint8Array[]): Promise<ChainHeader[]> {
  try {
    return await headers.add(run);
  } catch (error) {
    if (!isHemidError(error, 'bitcoin/header-invalid')) throw error;
    throw invalidBlock('bitcoin-header-invalid', error.message);
  }
}

/** What a builder takes into account besides the headers. */
export interface RunLimits {
  blocks: Pick<BlockStore, 'has'>;
  /** Headers later than this (seconds) are left for a later block. */
  latestTime: number;
}

/**
 * The run that a builder sends: the shortest from the fork that wins, lengthened towards the best tip, as far as the
 * full blocks are here.
 *
 * @returns `undefined` when no run wins over the parent's tip.
 */
export function chooseRun(headers: HeaderChain, parentTip: Uint8Array, limits: RunLimits): Attributes | undefined {
  const parent = headers.read(parentTip);
  const best = headers.best();
  if (parent === undefined || best.work <= parent.work) return undefined;
  const missing = headers.route(parentTip, best.hash).added.map((hash) => headers.read(hash) as ChainHeader);
  const end = missing.findIndex((header) => !limits.blocks.has(header.hash) || decodeBitcoinHeader(header.header).time > limits.latestTime);
  const usable = end === -1 ? missing : missing.slice(0, end);
  const shortest = usable.findIndex((header) => header.work > parent.work) + 1;
  if (shortest === 0) return undefined;
  const wanted = missing.length > USUAL_RUN ? MAX_RUN : USUAL_RUN;
  const run = usable.slice(0, Math.max(shortest, wanted));
  return { tip: (run[run.length - 1] as ChainHeader).hash, headers: run.map((header) => header.header) };
}
