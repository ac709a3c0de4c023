import type { Batch } from './store.ts';

/**
 * Something derived from a chain, block by block, on disk. `apply` then `revert` of the same block must leave the
 * bytes of the store as they were; a compliance suite in testkit holds every follower to it.
 */
export interface Follower<B> {
  readonly name: string;
  apply(block: B, batch: Batch): void;
  /** `apply` in steps, where it is long: others can have their turn between them. */
  applyInSteps?(block: B, batch: Batch): Steps;
  revert(block: B, batch: Batch): void;
}

/** Work that is done as it is stepped through. */
export type Steps = Iterable<void>;

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

/** A move of followers along a route, all into one batch. */
export interface Move<B> {
  followers: readonly Follower<B>[];
  route: Route;
  load(hash: Uint8Array): B;
  batch: Batch;
}

/** The one loop that every reorg is: revert down to the fork, apply up to the tip; in steps, of which each must be taken. */
export function* followInSteps<B>({ followers, route, load, batch }: Move<B>): Generator<void> {
  for (const hash of route.removed) {
    const block = load(hash);
    for (const follower of [...followers].reverse()) {
      follower.revert(block, batch);
      yield;
    }
  }
  for (const hash of route.added) {
    const block = load(hash);
    for (const follower of followers) {
      if (follower.applyInSteps === undefined) follower.apply(block, batch);
      else yield* follower.applyInSteps(block, batch);
      yield;
    }
  }
}

/** Takes all steps at once. */
export function take(steps: Steps): void {
  const iterator = steps[Symbol.iterator]();
  while (iterator.next().done !== true);
}

/** {@link followInSteps}, all at once. */
export function follow<B>(move: Move<B>): void {
  take(followInSteps(move));
}
