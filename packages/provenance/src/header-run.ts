import {
  type BitcoinTip,
  brokenRule,
  type ChainSpec,
  decodeBitcoinHeader,
  equal,
  HEADER_SIZE,
  hashBitcoinHeader,
  hasProofOfWork,
  MEDIAN_WINDOW,
  type PlacedHeader,
  RETARGET_PERIOD,
  toDisplay,
  toTarget,
  workOf,
} from '@hemid/protocol';
import { fail } from './errors.ts';
import type { Proof } from './proof.ts';
import type { FoundPlace } from './provenance.ts';

/** A checked run of Bitcoin headers: each is an ancestor of the checkpoint, or the checkpoint, or valid on top of it. */
export interface HeaderRun {
  tip: PlacedHeader;
  /** Expected hashes behind the headers above the checkpoint. */
  work: bigint;
  at(height: number): PlacedHeader | undefined;
  heightOf(hash: Uint8Array): number | undefined;
}

/** Height of the lowest header that a chain spec holds. */
export const lowestHeight = ({ genesis: { bitcoin } }: ChainSpec): number => bitcoin.genesisHeight - bitcoin.headersBefore.length;

/**
 * Where a run has to start so that every header above a checkpoint can be checked: what retargets and median times look
 * back on comes before it.
 */
export function runStart(spec: ChainSpec, checkpointHeight: number): number {
  const median = checkpointHeight - MEDIAN_WINDOW + 1;
  const retargets = spec.genesis.bitcoin.network !== 'regtest';
  const start = retargets ? Math.min(median, checkpointHeight - (checkpointHeight % RETARGET_PERIOD)) : median;
  return Math.max(start, lowestHeight(spec), 0);
}

/** The lowest checkpoint whose run may start at a height: see {@link runStart}. */
export function lowestCheckpoint(spec: ChainSpec, start: number): number {
  const { genesisHeight, network } = spec.genesis.bitcoin;
  if (runStart(spec, genesisHeight) >= start) return genesisHeight;
  const period = network === 'regtest' ? 0 : Math.ceil(start / RETARGET_PERIOD) * RETARGET_PERIOD;
  return Math.max(start + MEDIAN_WINDOW - 1, period);
}

/** @throws `provenance/bitcoin` unless the headers are one valid run over the checkpoint. */
export function verifyHeaderRun(
  { height: first, headers, tip }: Proof['bitcoin'],
  { spec, checkpoint }: { spec: ChainSpec; checkpoint: BitcoinTip },
): HeaderRun {
  const { network, genesisHeight } = spec.genesis.bitcoin;
  const refuse = (why: string): Error => fail('provenance/bitcoin', `Bitcoin headers: ${why}`);
  if (headers.length === 0 || headers.length % HEADER_SIZE !== 0) throw refuse(`they are not ${HEADER_SIZE} bytes each`);
  const run = Array.from({ length: headers.length / HEADER_SIZE }, (_, i) => {
    const header = headers.slice(i * HEADER_SIZE, (i + 1) * HEADER_SIZE);
    return { header, hash: hashBitcoinHeader(header), height: first + i, decoded: decodeBitcoinHeader(header) };
  });
  const at = (height: number) => run[height - first];
  const last = run[run.length - 1] as (typeof run)[number];

  for (const [i, { decoded, height }] of run.entries()) {
    if (i > 0 && !equal(decoded.previous, run[i - 1]?.hash as Uint8Array))
      throw refuse(`the one at height ${height} does not follow on the one before`);
  }
  if (!equal(last.hash, tip)) throw refuse('the last one is not the tip that is named');
  if (checkpoint.height < genesisHeight) throw refuse(`the checkpoint is below the hVM genesis, ${genesisHeight}`);
  const trusted = at(checkpoint.height);
  if (trusted === undefined) throw refuse(`they go from height ${first} to ${last.height}, and not over the checkpoint at ${checkpoint.height}`);
  if (!equal(trusted.hash, checkpoint.hash)) throw refuse(`at height ${checkpoint.height} is ${toDisplay(trusted.hash)}, and not the checkpoint`);
  const start = runStart(spec, checkpoint.height);
  if (first > start) throw refuse(`they start at height ${first}: to check what follows on the checkpoint they must start at ${start}`);

  let work = 0n;
  for (const { decoded, hash, height } of run.slice(checkpoint.height - first + 1)) {
    const times = run.slice(Math.max(0, height - first - MEDIAN_WINDOW), height - first).map((one) => one.decoded.time);
    const rule = brokenRule(network, decoded, { height, times, ancestor: (h) => (at(h) as (typeof run)[number]).decoded });
    if (rule !== undefined) throw refuse(`at height ${height}: ${rule}`);
    if (!hasProofOfWork(network, hash, decoded.bits)) throw refuse(`at height ${height}: proof of work`);
    work += workOf(toTarget(decoded.bits) ?? 0n);
  }
  return { tip: last, work, at, heightOf: (hash) => run.find((one) => equal(one.hash, hash))?.height };
}

/** A Bitcoin block of a run, and how many blocks stand on it. */
export function placeOf(height: number, run: HeaderRun): FoundPlace {
  const { hash, header } = run.at(height) as PlacedHeader;
  return { height, blockHash: hash, time: decodeBitcoinHeader(header).time, confirmations: run.tip.height - height };
}
