import { type BitcoinTip, equal } from '@hemid/protocol';
import { type Batch, type Follower, follow, layout, type Reader, type Store } from '@hemid/store';
import { bitcoinIndex, type IndexedBlock } from './bitcoin-index.ts';
import type { BlockStore } from './block-store.ts';
import type { HeaderChain } from './header-chain.ts';
import type { HeaderReader } from './header-tree.ts';

/** A Bitcoin follower with its position: it moves along any branch of the header chain. */
export interface Walker {
  /** The block it stands at; the hVM genesis before its first step. */
  position(): BitcoinTip;
  /** The highest block whose rows are there whatever of a move is written: while it leaves a branch, the fork; else where it stands. */
  shared(): BitcoinTip;
  /**
   * Moves to a known block, reverting down to the fork and applying up. Some blocks and the position behind them are
   * one batch, so a crash leaves it at a block on the way.
   *
   * @throws `bitcoin/block-missing` (retry) at a block whose body is not here; it stays at the block before.
   */
  moveTo(hash: Uint8Array): Promise<void>;
}

/** What one batch holds at most: it is in memory until it is written. */
const BATCH_BLOCKS = 64;
const BATCH_ENTRIES = 10_000;

/** Inputs and outputs of a block: what its rows are counted by. */
function entriesOf({ block }: IndexedBlock): number {
  return block.transactions.reduce((sum, { inputs, outputs }) => sum + 1 + inputs.length + outputs.length, 0);
}

/** Where the Bitcoin index of a store that nobody writes, a snapshot, stands. */
export function createIndexReader(store: Reader, headers: Pick<HeaderReader, 'genesis'>): Pick<Walker, 'shared'> {
  return { shared: () => store.get(layout.position, bitcoinIndex.name) ?? headers.genesis };
}

/** Binds a follower of Bitcoin blocks to the header chain and the bodies. */
export function createWalker(follower: Follower<IndexedBlock>, deps: { store: Store; headers: HeaderChain; blocks: BlockStore }): Walker {
  const { store, headers, blocks } = deps;
  /** The position row, in memory: views ask for it at every read, and nobody else moves it. */
  let standing: BitcoinTip = store.get(layout.position, follower.name) ?? headers.genesis;
  let shared = standing;
  const position = (): BitcoinTip => standing;

  /** One step into a batch. @returns how much that was, and where it leads. */
  function step(hash: Uint8Array, direction: 'revert' | 'apply', batch: Batch): { entries: number; to: BitcoinTip } {
    const header = headers.read(hash) ?? headers.genesis;
    const indexed = { block: blocks.get(hash), height: header.height };
    const route = direction === 'apply' ? { removed: [], added: [hash] } : { removed: [hash], added: [] };
    follow({ followers: [follower], route, load: () => indexed, batch });
    const to = direction === 'apply' ? header : (headers.ancestor(hash, header.height - 1) ?? headers.genesis);
    return { entries: entriesOf(indexed), to };
  }

  /** As many steps as one batch takes. @returns how many; fewer when a body is missing, which is thrown at the first. */
  async function stretch(steps: readonly { hash: Uint8Array; direction: 'revert' | 'apply' }[]): Promise<number> {
    const batch = store.batch();
    let to: BitcoinTip | undefined;
    let lowest = standing;
    let entries = 0;
    let done = 0;
    for (const { hash, direction } of steps) {
      if (done === BATCH_BLOCKS || entries >= BATCH_ENTRIES) break;
      if (done > 0 && !blocks.has(hash)) break;
      const stepped = step(hash, direction, batch);
      to = stepped.to;
      if (direction === 'revert') lowest = to;
      entries += stepped.entries;
      done += 1;
    }
    if (to !== undefined) batch.put(layout.position, follower.name, { hash: to.hash, height: to.height });
    // Its rows are there before the commit has told so: until then nobody is to take them for those of a block that is left.
    shared = { hash: lowest.hash, height: lowest.height };
    await batch.commit();
    if (to !== undefined) standing = { hash: to.hash, height: to.height };
    shared = standing;
    return done;
  }

  return {
    position,
    shared: () => shared,
    async moveTo(hash) {
      if (equal(position().hash, hash)) return;
      const { removed, added } = headers.route(position().hash, hash);
      const steps = [
        ...removed.map((block) => ({ hash: block, direction: 'revert' as const })),
        ...added.map((block) => ({ hash: block, direction: 'apply' as const })),
      ];
      for (let done = 0; done < steps.length; ) done += await stretch(steps.slice(done, done + BATCH_BLOCKS));
    },
  };
}
