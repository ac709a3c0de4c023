import type { HeaderChain } from '@hemid/bitcoin';
import { type ChainSpec, equal, type SealedBlock, toDisplay, toHex } from '@hemid/protocol';
import { type Batch, layout, type Store } from '@hemid/store';
import { bitcoinReference } from './block-rule.ts';
import { agrees, type Checkpoint, type CheckpointDeps, candidatesOf } from './checkpoint.ts';
import { fail } from './errors.ts';
import type { ForkTree } from './fork-choice.ts';
import { type Conflict, type Decision, decideHead, type Standpoint } from './head-decision.ts';
import type { Anchors, PlacedL2Header } from './ports.ts';

export interface HeadChoiceDeps extends CheckpointDeps {
  spec: ChainSpec;
  store: Store;
  headers: HeaderChain;
  anchors: Anchors;
  tree: ForkTree;
  checkpoint: Checkpoint | undefined;
}

/** Feeds {@link decideHead} with what the node knows and remembers, and keeps what it decided. */
export interface HeadChoice {
  /** Decides between leaves. It stands once it is {@link HeadChoice.settle | settled}. */
  decide(leaves: readonly PlacedL2Header[], from: Omit<Standpoint, 'tipHeight'>): Promise<Decision>;
  /** Puts into a decision's batch what the next one must know. @returns whether that was anything. */
  remember(batch: Batch): boolean;
  /** Makes a decision stand. @returns whether the conflict is another one than before. */
  settle(decision: Decision): boolean;
  conflict(): Conflict | undefined;
  /**
   * A node that is still behind goes no further in a conflict: it has not seen which branch was withheld.
   *
   * @throws `chain/conflict` (retry)
   */
  assertExtends(head: PlacedL2Header, sealed: SealedBlock): void;
  /** Keeps the header of a sealed block that waits for Bitcoin data. */
  hold(block: PlacedL2Header): void;
  /** Forgets it: the block is here, or is invalid. */
  release(hash: Uint8Array): void;
  /** A header that waits. */
  held(hash: Uint8Array): PlacedL2Header | undefined;
}

/** The position row: the Bitcoin tip of the last decision. With the anchors' tip it says how deep Bitcoin has been reorganised since. */
const ROW = 'fork-choice';
/** Waiting headers that are kept; the oldest go first. */
const MAX_WAITING = 4096;

const isSame = (a: Conflict | undefined, b: Conflict | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.kind === b.kind && equal(a.fork.hash, b.fork.hash));

/** Creates the {@link HeadChoice} of a chain. */
export function createHeadChoice(deps: HeadChoiceDeps): HeadChoice {
  const { spec, store, headers, anchors, tree, checkpoint } = deps;
  const superFinal = spec.genesis.finality.super;
  const waiting = new Map<string, PlacedL2Header>();
  let conflict: Conflict | undefined;

  const namedHeight = (header: PlacedL2Header['header']): number | undefined => headers.read(bitcoinReference(header))?.height;

  /** Height of the Bitcoin tip at the last decision; `undefined` when a reorg since is so deep that nothing binds this one. */
  function boundAt(): number | undefined {
    const row = store.get(layout.position, ROW);
    if (row === undefined) return undefined;
    const depth = row.height - headers.commonAncestor(row.hash, anchors.tip().hash).height;
    return depth < superFinal ? row.height : undefined;
  }

  /** Whether all that a waiting header stands on is here: a block that was found invalid takes those on it along. */
  function isConnected(block: PlacedL2Header): boolean {
    let lowest = block;
    for (let parent = block as PlacedL2Header | undefined; parent !== undefined; parent = waiting.get(toHex(parent.header.parentHash)))
      lowest = parent;
    return deps.header(lowest.header.parentHash) !== undefined;
  }

  /** The ends of waiting branches that agree with the checkpoint. */
  function waitingTips(): PlacedL2Header[] {
    const parents = new Set([...waiting.values()].map(({ header }) => toHex(header.parentHash)));
    const tips = [...waiting.values()].filter((block) => !parents.has(toHex(block.hash)) && isConnected(block));
    return checkpoint === undefined ? tips : tips.filter((tip) => agrees(checkpoint, tip, deps));
  }

  return {
    async decide(leaves, from) {
      const tipHeight = boundAt();
      const candidates = checkpoint === undefined ? leaves : candidatesOf(checkpoint, leaves, deps);
      return decideHead(tree, candidates, {
        before: tipHeight === undefined ? undefined : { ...from, tipHeight },
        tipHeight: anchors.tip().height,
        superFinal,
        namedHeight: ({ header }) => namedHeight(header) ?? 0,
        waiting: waitingTips(),
      });
    },
    remember(batch) {
      const { hash, height } = anchors.tip();
      const row = store.get(layout.position, ROW);
      if (row !== undefined && equal(row.hash, hash)) return false;
      batch.put(layout.position, ROW, { hash, height });
      return true;
    },
    settle(decision) {
      const changed = !isSame(conflict, decision.conflict);
      conflict = decision.conflict;
      return changed;
    },
    conflict: () => conflict,
    assertExtends(head, sealed) {
      const { header } = sealed.block;
      const isPending = checkpoint !== undefined && deps.header(checkpoint.hash) === undefined;
      if (conflict === undefined || isPending || !equal(header.parentHash, head.hash)) return;
      const height = namedHeight(header);
      if (height === undefined || anchors.tip().height - height < superFinal) return;
      throw fail(
        'chain/conflict',
        `this node goes no further than block ${head.header.number}: two super-final branches fork after block ${conflict.fork.header.number}, and block ${header.number} names Bitcoin block ${toDisplay(bitcoinReference(header))}, ${anchors.tip().height - height} below the tip; set --checkpoint to a block of the right branch`,
      );
    },
    hold(block) {
      waiting.set(toHex(block.hash), block);
      const [oldest] = waiting.keys();
      if (waiting.size > MAX_WAITING && oldest !== undefined) waiting.delete(oldest);
    },
    release: (hash) => void waiting.delete(toHex(hash)),
    held: (hash) => waiting.get(toHex(hash)),
  };
}
