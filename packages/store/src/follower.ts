import type { Batch } from './store.ts';

/**
 * Something derived from a chain, block by block, on disk. `apply` then `revert` of the same block must leave the
 * bytes of the store as they were; a compliance suite in testkit holds every follower to it.
 */
export interface Follower<B> {
  readonly name: string;
  apply(block: B, batch: Batch): void;
  revert(block: B, batch: Batch): void;
}

/** A tree of blocks, enough of it to find the way from one to another. Hashes are the caller's keys. */
export interface BlockTree {
  height(hash: Uint8Array): number | bigint;
  parent(hash: Uint8Array): Uint8Array;
}

/** The way between two blocks of a tree: `removed` from the old tip down, `added` from the fork up to the new tip. */
export interface Route {
  removed: Uint8Array[];
  added: Uint8Array[];
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** The {@link Route} from one block to another, through their last common ancestor. */
export function routeBetween(tree: BlockTree, from: Uint8Array, to: Uint8Array): Route {
  const removed: Uint8Array[] = [];
  const added: Uint8Array[] = [];
  let [a, b] = [from, to];
  while (!same(a, b)) {
    const difference = BigInt(tree.height(a)) - BigInt(tree.height(b));
    if (difference >= 0n) {
      removed.push(a);
      a = tree.parent(a);
    }
    if (difference <= 0n) {
      added.push(b);
      b = tree.parent(b);
    }
  }
  return { removed, added: added.reverse() };
}

/** The one loop that every reorg is: revert down to the fork, apply up to the tip, all into `batch`. */
export function follow<B>(followers: readonly Follower<B>[], route: Route, load: (hash: Uint8Array) => B, batch: Batch): void {
  for (const hash of route.removed) {
    const block = load(hash);
    for (const follower of [...followers].reverse()) follower.revert(block, batch);
  }
  for (const hash of route.added) {
    const block = load(hash);
    for (const follower of followers) follower.apply(block, batch);
  }
}
