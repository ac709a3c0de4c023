import { type BlockStore, type HeaderChain, publicationsIn, type Walker } from '@hemid/bitcoin';
import { bitcoinReference, type Chain, type HeadChange, isKeystone, type PlacedL2Header } from '@hemid/chain';
import { type BitcoinTip, type Publication, toDigits } from '@hemid/protocol';
import type { AnchorReader } from './anchors.ts';
import { nextFinalized } from './finalized.ts';

export interface FinalityDeps {
  chain: Chain;
  anchors: AnchorReader;
  /** The walker of the anchor follower. */
  walker: Walker;
  headers: HeaderChain;
  blocks: BlockStore;
}

/** A keystone of the canonical chain with its first counting publication. */
export interface PublishedKeystone {
  keystone: PlacedL2Header;
  publication: Publication;
  /** Bitcoin tip height − publication height: no +1 (protocol section 8). */
  confirmations: number;
}

/** How deep a block stands in Bitcoin. */
export interface BlockFinality {
  /** The first keystone at or above the block; `undefined` while it is not built. */
  keystone: PlacedL2Header | undefined;
  /** Of that keystone and the later ones, the one whose publication is deepest; `undefined` while none is published. */
  best: PublishedKeystone | undefined;
  /** The Bitcoin block that confirmations are counted from. */
  tip: BitcoinTip;
}

/** Keystones that a question about an old block looks at, each a seek in the database. */
const MAX_LOOKS = 1000;

/** Raises `safe` and `finalized` by what stands in Bitcoin; a Bitcoin reorg lowers them again. */
export interface Finality {
  /** Follows the node's own Bitcoin chain to its tip, then looks at fork choice and labels anew. */
  onBitcoinTip(): Promise<void>;
  /** Looks at the labels anew after the L2 head moved. */
  onHead(change: HeadChange): Promise<void>;
  /** The published keystones of the canonical chain, newest first, down to the first that nothing can touch. */
  published(): PublishedKeystone[];
  /**
   * The effective confirmations of a canonical block (protocol section 8). Of keystones that no label rests on any more
   * the first {@link MAX_LOOKS} above the block are looked at: the number is too low only when none of them is published.
   */
  of(block: PlacedL2Header): Promise<BlockFinality>;
}

/** Creates the finality tracker of a node. */
export function createFinality(deps: FinalityDeps): Finality {
  const { chain, anchors, walker, headers, blocks } = deps;
  const { keystonePeriod, finality } = chain.spec.genesis;
  const period = BigInt(keystonePeriod);
  /** Keystones this deep need no look any more, nor do those below them. */
  const deepEnough = 2 * finality.ultra;
  const known = new Map<string, { keystone: PlacedL2Header; publication: Publication }>();
  /** Every published keystone from this number on is known. */
  let floor = 0n;

  async function look(keystone: PlacedL2Header): Promise<Publication | undefined> {
    const publication = await anchors.first(keystone);
    if (publication === undefined) known.delete(toDigits(keystone.hash));
    else known.set(toDigits(keystone.hash), { keystone, publication });
    return publication;
  }

  /** From the newest keystone down to one that is deep enough. */
  async function lookAtAll(): Promise<void> {
    known.clear();
    floor = 0n;
    const head = chain.head('latest').header.number;
    for (let number = head - (head % period); number > 0n; number -= period) {
      const keystone = chain.headerAt(number);
      const publication = keystone === undefined ? undefined : await look(keystone);
      if (publication === undefined || anchors.tip().height - publication.height < deepEnough) continue;
      floor = number;
      return;
    }
  }

  /** Looks at the keystones that Bitcoin blocks publish. */
  async function lookAtBlocks(hashes: readonly Uint8Array[]): Promise<void> {
    for (const hash of hashes) {
      const entries = publicationsIn(blocks.get(hash), headers.read(hash)?.height ?? 0);
      for (const { key } of entries) {
        const keystone = chain.keystoneBlock(key.abbreviatedHash);
        if (keystone !== undefined) await look(keystone);
      }
    }
  }

  function published(): PublishedKeystone[] {
    const tip = anchors.tip();
    return [...known.values()]
      .map((entry) => ({ ...entry, confirmations: tip.height - entry.publication.height }))
      .sort((a, b) => (a.keystone.header.number > b.keystone.header.number ? -1 : 1));
  }

  /** The highest keystone that has so many confirmations, and N − 1 for its number N. */
  function headAt(confirmations: number, keystones: readonly PublishedKeystone[]): { block: PlacedL2Header; by?: PublishedKeystone } {
    const by = keystones.find((entry) => entry.confirmations >= confirmations);
    return by === undefined ? { block: chain.head('earliest') } : { block: chain.ancestorOf(by.keystone, by.keystone.header.number - 1n), by };
  }

  /** The last block of a branch that the canonical chain has too. */
  function canonicalPart(block: PlacedL2Header): PlacedL2Header {
    let part = block;
    while (!chain.isCanonical(part)) part = chain.ancestorOf(part, part.header.number - 1n);
    return part;
  }

  async function label(): Promise<void> {
    const keystones = published();
    const { finalized, proof } = chain.labels();
    const { block, by } = headAt(finality.super, keystones);
    const candidate = { block, proof: by && { keystoneHash: by.keystone.hash, publishedIn: by.publication.blockHash } };
    const next = nextFinalized({
      current: { block: canonicalPart(finalized), proof },
      candidate,
      stands: proof !== undefined && chain.isCanonical(finalized) && headers.isAncestor(proof.publishedIn, walker.position().hash),
      isFrozen: chain.conflict() !== undefined,
    });
    const safe = headAt(1, keystones).block;
    await chain.setLabels({ safe: safe.header.number > next.block.header.number ? safe : next.block, finalized: next.block, proof: next.proof });
    const deep = keystones.find((entry) => entry.confirmations >= deepEnough)?.keystone.header.number ?? 0n;
    for (const [key, { keystone }] of known) if (keystone.header.number < deep) known.delete(key);
    if (deep > floor) floor = deep;
  }

  /**
   * Follows the heaviest chain of Bitcoin whose bodies are all here: headers that came with an L2 block may be ahead of
   * theirs, and a branch is left only for a heavier one.
   */
  async function followBest(): Promise<void> {
    const from = walker.position();
    const { added } = headers.route(from.hash, headers.best().hash);
    const missing = added.findIndex((hash) => !blocks.has(hash));
    const target = missing === -1 ? headers.best() : headers.read(added[missing - 1] ?? from.hash);
    const work = headers.read(from.hash)?.work ?? 0n;
    if (target !== undefined && target.work > work) await walker.moveTo(target.hash);
  }

  const isDeeper = (one: PublishedKeystone, other: PublishedKeystone): boolean =>
    one.confirmations > other.confirmations ||
    (one.confirmations === other.confirmations && one.keystone.header.number < other.keystone.header.number);

  /**
   * The deepest of `best` and of the keystones from `first` up to the floor. A publication counts only above the Bitcoin
   * tip that its keystone names, and later keystones name later tips: the walk ends where that tip is as high as the
   * best publication, after a few keystones as a rule.
   */
  async function lookBelowFloor(first: bigint, best: PublishedKeystone | undefined): Promise<PublishedKeystone | undefined> {
    let deepest = best;
    const end = first + BigInt(MAX_LOOKS) * period;
    for (let number = first; number < floor && number < end; number += period) {
      const keystone = chain.headerAt(number);
      if (keystone === undefined) break;
      const named = headers.read(bitcoinReference(keystone.header))?.height ?? 0;
      if (deepest !== undefined && named >= deepest.publication.height) break;
      const publication = await anchors.first(keystone);
      if (publication === undefined) continue;
      const found = { keystone, publication, confirmations: anchors.tip().height - publication.height };
      if (deepest === undefined || isDeeper(found, deepest)) deepest = found;
    }
    return deepest;
  }

  let started = false;

  return {
    published,
    async of({ header }) {
      const first = header.number === 0n ? period : ((header.number + period - 1n) / period) * period;
      const tip = anchors.tip();
      const known = published().filter(({ keystone }) => keystone.header.number >= first);
      const deepest = known.reduce<PublishedKeystone | undefined>((best, one) => (best === undefined || isDeeper(one, best) ? one : best), undefined);
      return { keystone: chain.headerAt(first), best: await lookBelowFloor(first, deepest), tip };
    },
    async onBitcoinTip() {
      const before = walker.position();
      await followBest();
      const route = headers.route(before.hash, walker.position().hash);
      await chain.reconsider();
      if (!started || route.removed.length > 0) await lookAtAll();
      else await lookAtBlocks(route.added);
      started = true;
      await label();
    },
    async onHead({ removed, added }) {
      if (removed.length > 0) await lookAtAll();
      for (const block of added) if (isKeystone(chain.spec, block.header.number)) await look(block);
      if (removed.length > 0 || added.length > 0) await label();
    },
  };
}
