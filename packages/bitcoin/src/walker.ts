import { type BitcoinTip, equal } from '@hemid/protocol';
import { type Follower, follow, layout, type Store } from '@hemid/store';
import type { IndexedBlock } from './bitcoin-index.ts';
import type { BlockStore } from './block-store.ts';
import type { HeaderChain } from './header-chain.ts';

/** A Bitcoin follower with its position: it moves along any branch of the header chain. */
export interface Walker {
  /** The block it stands at; the hVM genesis before its first step. */
  position(): BitcoinTip;
  /**
   * Moves to a known block, reverting down to the fork and applying up. Each step and its position are one batch, so
   * a crash leaves it at a block on the way.
   *
   * @throws `bitcoin/block-missing` (retry) at a block whose body is not here; it stays at the block before.
   */
  moveTo(hash: Uint8Array): Promise<void>;
}

/** Binds a follower of Bitcoin blocks to the header chain and the bodies. */
export function createWalker(follower: Follower<IndexedBlock>, deps: { store: Store; headers: HeaderChain; blocks: BlockStore }): Walker {
  const { store, headers, blocks } = deps;
  const position = (): BitcoinTip => store.get(layout.position, follower.name) ?? headers.genesis;

  function load(hash: Uint8Array): IndexedBlock {
    return { block: blocks.get(hash), height: headers.read(hash)?.height ?? 0 };
  }

  async function step(route: { removed: Uint8Array[]; added: Uint8Array[] }, to: BitcoinTip): Promise<void> {
    const batch = store.batch();
    follow([follower], route, load, batch);
    batch.put(layout.position, follower.name, { hash: to.hash, height: to.height });
    await batch.commit();
  }

  return {
    position,
    async moveTo(hash) {
      if (equal(position().hash, hash)) return;
      const route = headers.route(position().hash, hash);
      for (const removed of route.removed) {
        const height = headers.read(removed)?.height ?? 0;
        const parent = headers.ancestor(removed, height - 1) ?? headers.genesis;
        await step({ removed: [removed], added: [] }, parent);
      }
      for (const added of route.added) {
        await step({ removed: [], added: [added] }, headers.read(added) ?? headers.genesis);
      }
    },
  };
}
