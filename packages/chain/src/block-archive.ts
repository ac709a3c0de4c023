import type { ExecutedBlock } from '@hemid/hvm';
import {
  decodeHeader,
  decodeReceipts,
  decodeSealedBlock,
  encodeHeader,
  encodeReceipts,
  encodeSealedBlock,
  equal,
  type Receipt,
  type SealedBlock,
  toDigits,
  toHex,
} from '@hemid/protocol';
import { type Batch, layout, type Store } from '@hemid/store';
import { fail } from './errors.ts';
import type { PlacedL2Header } from './ports.ts';

/** Every valid L2 block, canonical or not, by hash. */
export interface BlockArchive {
  readHeader(hash: Uint8Array): PlacedL2Header | undefined;
  /** @throws `chain/not-found` */
  getHeader(hash: Uint8Array): PlacedL2Header;
  readBlock(hash: Uint8Array): SealedBlock | undefined;
  readReceipts(hash: Uint8Array): Receipt[] | undefined;
  /** Wei that all accounts hold together after a block. @throws `chain/not-found` */
  getSupply(hash: Uint8Array): bigint;
  /** Writes a block with its receipts. */
  put(executed: ExecutedBlock, beside: { seal: Uint8Array; supply: bigint }, batch: Batch): void;
  /** Deletes a block, its supply, its receipts and the changes it makes, as if it had never come. */
  drop(hash: Uint8Array, batch: Batch): void;
}

const CACHED_HEADERS = 4096;

/** The {@link BlockArchive} over a store; `cache` has headers that are known to be in it, by hash. */
export function createBlockArchive(store: Store, cache = new Map<string, PlacedL2Header>()): BlockArchive {
  /** The block that came last: followers, the pool, the feeds and those who ask for the head read it again at once. */
  let latest: { sealed: SealedBlock; receipts: Receipt[] } | undefined;

  const isLatest = (hash: Uint8Array): boolean => latest !== undefined && equal(latest.sealed.hash, hash);

  function remember(placed: PlacedL2Header): PlacedL2Header {
    cache.set(toDigits(placed.hash), placed);
    const oldest = cache.keys().next().value;
    if (cache.size > CACHED_HEADERS && oldest !== undefined) cache.delete(oldest);
    return placed;
  }

  function readHeader(hash: Uint8Array): PlacedL2Header | undefined {
    const cached = cache.get(toDigits(hash));
    if (cached !== undefined) return cached;
    const bytes = store.get(layout.header, hash);
    return bytes === undefined ? undefined : remember({ header: decodeHeader(bytes), hash });
  }

  return {
    readHeader,
    getHeader(hash) {
      const placed = readHeader(hash);
      if (placed === undefined) throw fail('chain/not-found', `block ${toHex(hash)} is not here`);
      return placed;
    },
    readBlock(hash) {
      if (isLatest(hash)) return latest?.sealed;
      const bytes = store.get(layout.block, hash);
      return bytes === undefined ? undefined : decodeSealedBlock(bytes);
    },
    readReceipts(hash) {
      if (isLatest(hash)) return latest?.receipts;
      const bytes = store.get(layout.receipts, hash);
      return bytes === undefined ? undefined : decodeReceipts(bytes);
    },
    getSupply(hash) {
      const supply = store.get(layout.supply, hash);
      if (supply === undefined) throw fail('chain/not-found', `the supply after block ${toHex(hash)} is not here`);
      return supply;
    },
    put({ block, hash, receipts }, { seal, supply }, batch) {
      batch.put(layout.supply, hash, supply);
      batch.put(layout.header, hash, encodeHeader(block.header));
      const sealed = { block, seal, hash };
      latest = { sealed, receipts };
      batch.put(layout.block, hash, encodeSealedBlock(sealed));
      batch.put(layout.receipts, hash, encodeReceipts(receipts));
      remember({ header: block.header, hash });
    },
    drop(hash, batch) {
      for (const table of [layout.header, layout.block, layout.receipts, layout.stateDiff]) batch.del(table, hash);
      batch.del(layout.supply, hash);
      cache.delete(toDigits(hash));
      if (isLatest(hash)) latest = undefined;
    },
  };
}
