import { layout, type Reader, type Store } from '@hemid/store';
import type { HeadChange } from './chain-reader.ts';
import type { PlacedL2Header } from './ports.ts';

/** Headers of the canonical chain by number; those asked for are kept in memory until the chain changes there. */
export interface CanonicalHeaders {
  at(number: bigint): PlacedL2Header | undefined;
  /** A change is on disk: what stood at its numbers is read again. */
  forget(change: HeadChange): void;
}

const CACHED = 4096;

export interface CanonicalHeaderDeps {
  /** The header of a hash. */
  headerOf(hash: Uint8Array): PlacedL2Header;
  /** Those that are known already. */
  known?: Map<bigint, PlacedL2Header> | undefined;
}

/** The hash of the highest block of the canonical chain; `undefined` in an empty store. */
export async function readTipHash(store: Store): Promise<Uint8Array | undefined> {
  for await (const [, hash] of store.range(layout.canonical, { reverse: true, limit: 1 })) return hash;
  return undefined;
}

/** Creates the {@link CanonicalHeaders} of a store. */
export function createCanonicalHeaders(store: Reader, { headerOf, known = new Map() }: CanonicalHeaderDeps): CanonicalHeaders {
  return {
    at(number) {
      const cached = known.get(number);
      if (cached !== undefined) return cached;
      const hash = store.get(layout.canonical, number);
      if (hash === undefined) return undefined;
      const placed = headerOf(hash);
      known.set(number, placed);
      const oldest = known.keys().next().value;
      if (known.size > CACHED && oldest !== undefined) known.delete(oldest);
      return placed;
    },
    forget({ removed, added }) {
      for (const { header } of [...removed, ...added]) known.delete(header.number);
    },
  };
}
