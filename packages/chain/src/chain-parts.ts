import type { ViewDeps } from '@hemid/bitcoin';
import { createStateStore, type ExecutionDeps, type StateStore, type StateStoreOptions } from '@hemid/hvm';
import { equal, type Keystone } from '@hemid/protocol';
import { nextTurn } from '@hemid/runtime';
import { type BlockTree, layout, routeBetween } from '@hemid/store';
import { type BlockArchive, createBlockArchive } from './block-archive.ts';
import { type CanonicalHeaders, createCanonicalHeaders } from './canonical-header.ts';
import { type ChainQueries, createChainQueries } from './chain-query.ts';
import { keystoneOf } from './keystone-of.ts';
import type { PlacedL2Header } from './ports.ts';

export interface ChainPartsDeps extends ViewDeps {
  common: ExecutionDeps['common'];
  states: StateStoreOptions;
  /** The header of a block that is known and not in the store yet. */
  held(hash: Uint8Array): PlacedL2Header | undefined;
  /** Headers that are known already. */
  known?: KnownHeaders;
}

/** Headers of the canonical chain and others, as the store with one head has them. */
export interface KnownHeaders {
  /** By hash, hex digits. */
  all: Map<string, PlacedL2Header>;
  canonical: Map<bigint, PlacedL2Header>;
}

/** What the chain, which writes, and a view of it, which only reads, are both made of. */
export interface ChainParts {
  archive: BlockArchive;
  canonical: CanonicalHeaders;
  states: StateStore;
  execution: ExecutionDeps;
  /** The tree of known blocks. */
  tree: BlockTree;
  isCanonical(placed: PlacedL2Header): boolean;
  parentOf(block: PlacedL2Header): PlacedL2Header;
  ancestorOf(block: PlacedL2Header, number: bigint): PlacedL2Header;
  keystone(block: PlacedL2Header): Keystone;
  queries: ChainQueries;
}

/** Puts the {@link ChainParts} together over a store. */
export function openChainParts(deps: ChainPartsDeps): ChainParts {
  const { spec, store, headers, common, known, held } = deps;
  const archive = createBlockArchive(store, known?.all);
  const canonical = createCanonicalHeaders(store, { headerOf: archive.getHeader, known: known?.canonical });
  const heightOf = (hash: Uint8Array): bigint => archive.getHeader(hash).header.number;
  const tree = { height: heightOf, parent: (hash: Uint8Array) => archive.getHeader(hash).header.parentHash };
  const states = createStateStore(
    { store, route: (from, to) => routeBetween(tree, from, to), block: (hash) => ({ hash, number: heightOf(hash) }), parent: tree.parent },
    deps.states,
  );
  const execution: ExecutionDeps = { spec, common, states, pause: nextTurn };

  function parentOf({ header }: PlacedL2Header): PlacedL2Header {
    return held(header.parentHash) ?? archive.getHeader(header.parentHash);
  }

  function isCanonical(placed: PlacedL2Header): boolean {
    const hash = store.get(layout.canonical, placed.header.number);
    return hash !== undefined && equal(hash, placed.hash);
  }

  function ancestorOf(block: PlacedL2Header, number: bigint): PlacedL2Header {
    let current = block;
    while (current.header.number > number) {
      current = (isCanonical(current) ? canonical.at(number) : undefined) ?? parentOf(current);
    }
    return current;
  }

  return {
    archive,
    canonical,
    states,
    execution,
    tree,
    isCanonical,
    parentOf,
    ancestorOf,
    keystone: (block) => keystoneOf(spec, headers, block, (number) => ancestorOf(block, number)),
    queries: createChainQueries({ ...deps, archive, execution, parentOf, ancestorOf, headerAt: canonical.at }),
  };
}
