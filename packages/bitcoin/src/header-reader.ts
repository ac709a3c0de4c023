import type { ChainSpec } from '@hemid/protocol';
import { layout, type Reader } from '@hemid/store';
import { BEST } from './header-chain.ts';
import { createHeaderTree, type HeaderReader } from './header-tree.ts';

/** Creates a {@link HeaderReader} over a store that somebody else writes; `follow` takes in its best branch as it is now. */
export function createHeaderReader(store: Reader, spec: ChainSpec): HeaderReader & { follow(): void } {
  const tree = createHeaderTree(spec, (hash) => store.get(layout.bitcoinHeader, hash));
  return {
    ...tree,
    follow() {
      const best = store.get(layout.position, BEST);
      if (best !== undefined) tree.indexBranch(tree.get(best.hash));
    },
  };
}
