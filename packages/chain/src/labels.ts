import { equal } from '@hemid/protocol';
import { type Batch, layout, type Store } from '@hemid/store';
import type { PlacedL2Header } from './ports.ts';

/** The labelled heads (protocol section 8). */
export interface Labels {
  safe: PlacedL2Header;
  finalized: PlacedL2Header;
  /** What made `finalized` final; `undefined` at the genesis. */
  proof?: FinalityProof | undefined;
}

/** A keystone block that is super-final, and the Bitcoin block (internal order) of its publication. */
export interface FinalityProof {
  keystoneHash: Uint8Array;
  publishedIn: Uint8Array;
}

export interface LabelDeps {
  store: Store;
  genesis: PlacedL2Header;
  header(hash: Uint8Array): PlacedL2Header | undefined;
  isCanonical(block: PlacedL2Header): boolean;
}

const ROW = 'finalized';

/** The labels as the last run left them: `finalized` is remembered, `safe` is found again from there. */
export function readLabels({ store, genesis, header, isCanonical }: LabelDeps): Labels {
  const row = store.get(layout.label, ROW);
  const finalized = row === undefined ? undefined : header(row.blockHash);
  if (row === undefined || finalized === undefined || !isCanonical(finalized)) return { safe: genesis, finalized: genesis };
  return { safe: finalized, finalized, proof: { keystoneHash: row.keystoneHash, publishedIn: row.publishedIn } };
}

/** Puts what must be remembered of labels into `batch`. */
export function putLabels({ finalized, proof }: Labels, batch: Batch): void {
  if (proof === undefined) batch.del(layout.label, ROW);
  else batch.put(layout.label, ROW, { blockHash: finalized.hash, ...proof });
}

/** Whether two labels name the same heads. */
export function isSameLabels(a: Labels, b: Labels): boolean {
  return equal(a.safe.hash, b.safe.hash) && equal(a.finalized.hash, b.finalized.hash);
}
