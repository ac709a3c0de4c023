import { concat } from '@hemid/protocol';
import { fail } from './errors.ts';
import { lowestCheckpoint, lowestHeight, runStart } from './header-run.ts';
import type { ProvenanceDeps } from './ports.ts';
import type { Proof } from './proof.ts';

/** What a run of Bitcoin headers is for. */
export interface RunRequest {
  /** Heights that it must hold: what is proven lies between them. */
  lowest: number;
  highest: number;
  /** Height of the block from which a reader will check; the lowest one that the proof needs if left out. */
  checkpoint: number | undefined;
  maxHeaders: number;
}

/** The checkpoints that a run of so many headers can serve. */
function checkpointsOf({ spec, bitcoin }: ProvenanceDeps, { lowest, highest, maxHeaders }: RunRequest): { from: number; to: number } {
  return { from: lowestCheckpoint(spec, highest - maxHeaders + 1), to: Math.min(bitcoin.tip().height, lowest + maxHeaders - 1) };
}

/**
 * The Bitcoin headers of a proof, from what its checkpoint needs up to the tip, or as many as are given.
 *
 * @throws `provenance/checkpoint`, which says what checkpoints there are.
 */
export function buildRun(deps: ProvenanceDeps, request: RunRequest): { checkpoint: number; run: Proof['bitcoin'] } {
  const { spec, bitcoin } = deps;
  const { lowest, highest, maxHeaders } = request;
  const { genesisHeight, headersBefore } = spec.genesis.bitcoin;
  const served = checkpointsOf(deps, request);
  if (highest - lowest >= maxHeaders || served.from > served.to) {
    throw fail(
      'provenance/checkpoint',
      `what is proven reaches from Bitcoin block ${lowest} to ${highest}: no proof has more than ${maxHeaders} headers`,
    );
  }
  const checkpoint = request.checkpoint ?? Math.max(lowest, served.from);
  if (checkpoint < served.from || checkpoint > served.to) {
    throw fail(
      'provenance/checkpoint',
      `Bitcoin block ${checkpoint} cannot be the checkpoint of this proof, which has at most ${maxHeaders} headers: choose one from block ${served.from} to ${served.to}`,
    );
  }
  const tip = bitcoin.tip();
  const from = Math.min(lowest, runStart(spec, checkpoint));
  const to = Math.min(tip.height, from + maxHeaders - 1);
  const parts: Uint8Array[] = [];
  for (let height = from; height <= to; height += 1) {
    const header = height < genesisHeight ? headersBefore[height - lowestHeight(spec)] : bitcoin.ancestor(tip.hash, height)?.header;
    if (header !== undefined) parts.push(header);
  }
  return { checkpoint, run: { height: from, headers: concat(...parts), tip: bitcoin.ancestor(tip.hash, to)?.hash ?? tip.hash } };
}
