import { createIndexReader, type ViewDeps } from '@hemid/bitcoin';
import { createCommon } from '@hemid/hvm';
import { type ChainSpec, equal } from '@hemid/protocol';
import type { Store } from '@hemid/store';
import { readTipHash } from './canonical-header.ts';
import { openChainParts } from './chain-parts.ts';
import type { ChainView } from './chain-reader.ts';
import { fail } from './errors.ts';
import type { PlacedL2Header } from './ports.ts';

export interface ChainViewDeps {
  spec: ChainSpec;
  headers: ViewDeps['headers'];
  blocks: ViewDeps['blocks'];
  /** Blocks below the head whose state is kept; `undefined`: all. */
  stateWindow: number | undefined;
}

/** The chain of a store that somebody else writes. */
export interface ChainViews {
  /**
   * The chain as a snapshot of the store has it, with the labels that its writer gives to blocks.
   *
   * @throws `chain/not-found` while there is no genesis.
   */
  open(snapshot: Store, labels: { safe: Uint8Array; finalized: Uint8Array }): Promise<ChainView>;
}

/** Rows at the head that a view keeps in memory, bytes: it is there for one call. */
const STATE_CACHE_BYTES = 4 << 20;

/** Creates the {@link ChainViews} of a chain spec. */
export function createChainViews({ spec, headers, blocks, stateWindow }: ChainViewDeps): ChainViews {
  const common = createCommon(spec);
  const fresh = (head: Uint8Array) => ({ head, all: new Map<string, PlacedL2Header>(), canonical: new Map<bigint, PlacedL2Header>() });
  /** What views of the same head find again: it does not change while the head does not. */
  let known = fresh(new Uint8Array());

  return {
    async open(store, labels) {
      const tip = await readTipHash(store);
      if (tip === undefined) throw fail('chain/not-found', 'the genesis is not in the store yet');
      if (!equal(tip, known.head)) known = fresh(tip);
      const parts = openChainParts({
        spec,
        store,
        headers,
        blocks,
        index: createIndexReader(store, headers),
        common,
        states: { window: stateWindow, hotBytes: STATE_CACHE_BYTES },
        held: () => undefined,
        known,
      });
      const { archive, canonical, isCanonical, ancestorOf, keystone } = parts;
      const head = archive.getHeader(tip);
      const earliest = canonical.at(0n) ?? head;
      const heads = { latest: head, earliest, safe: archive.readHeader(labels.safe), finalized: archive.readHeader(labels.finalized) };
      return { ...parts.queries, spec, head: (tag) => heads[tag] ?? earliest, headerAt: canonical.at, isCanonical, ancestorOf, keystone };
    },
  };
}
