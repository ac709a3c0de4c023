import { layout, type Reader } from '@hemid/store';
import type { HeadChange } from './chain-reader.ts';
import type { PlacedL2Header } from './ports.ts';

/** Headers of the canonical chain by number; those asked for are kept in memory until the chain changes there. */
export interface CanonicalHeaders {
  at(number: bigint): PlacedL2Header | undefined;
  /** A change is on disk: what stood at its numbers is read again. */
  forget(change: HeadChange): void;
}

const CACHED = 4096;

/** Creates the {@link CanonicalHeaders} of a store; `headerOf` gives the header of a hash. */
export function createCanonicalHeaders(store: Reader, headerOf: (hash: Uint8Array) => PlacedL2Header): CanonicalHeaders {
  const known = new Map<bigint, PlacedL2Header>();
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
