import { toDigits, toDisplay } from '@hemid/protocol';
import { layout, type Store } from '@hemid/store';
import { type BitcoinBlock, parseBlock } from './block.ts';
import { fail } from './errors.ts';

/** The bodies of Bitcoin blocks, by hash; blocks that became orphaned stay. */
export interface BlockStore {
  has(hash: Uint8Array): boolean;
  /** The raw block, serialised with witness, or `undefined`. */
  readRaw(hash: Uint8Array): Uint8Array | undefined;
  /** @throws `bitcoin/block-missing` (retry) when this node does not have it. */
  get(hash: Uint8Array): BitcoinBlock;
  /** Checks the body against its header and writes it; @throws `bitcoin/block-invalid`. */
  keep(raw: Uint8Array): Promise<BitcoinBlock>;
}

const CACHED_BLOCKS = 64;

/** The {@link BlockStore} over a store, with the latest blocks parsed in memory. */
export function createBlockStore(store: Store): BlockStore {
  const cache = new Map<string, BitcoinBlock>();

  function remember(block: BitcoinBlock): BitcoinBlock {
    cache.set(toDigits(block.hash), block);
    const oldest = cache.keys().next().value;
    if (cache.size > CACHED_BLOCKS && oldest !== undefined) cache.delete(oldest);
    return block;
  }

  return {
    has: (hash) => cache.has(toDigits(hash)) || store.get(layout.bitcoinBlock, hash) !== undefined,
    readRaw: (hash) => store.get(layout.bitcoinBlock, hash),
    get(hash) {
      const cached = cache.get(toDigits(hash));
      if (cached !== undefined) return cached;
      const raw = store.get(layout.bitcoinBlock, hash);
      if (raw === undefined) {
        const details = { hash: toDisplay(hash) };
        throw fail('bitcoin/block-missing', `the Bitcoin block ${details.hash} is not here yet`, { details });
      }
      return remember(parseBlock(raw));
    },
    async keep(raw) {
      const block = parseBlock(raw);
      const batch = store.batch();
      batch.put(layout.bitcoinBlock, block.hash, raw);
      await batch.commit();
      return remember(block);
    },
  };
}
