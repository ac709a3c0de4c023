import { toDigits, toDisplay } from '@hemid/protocol';
import { layout, type Store } from '@hemid/store';
import { type BitcoinBlock, parseBlock } from './block.ts';
import { fail } from './errors.ts';
import type { BlockCheck } from './signet.ts';

/** The bodies of Bitcoin blocks, by hash; blocks that became orphaned stay. */
export interface BlockStore {
  has(hash: Uint8Array): boolean;
  /** The raw block, serialised with witness, or `undefined`. */
  readRaw(hash: Uint8Array): Uint8Array | undefined;
  /** @throws `bitcoin/block-missing` (retry) when this node does not have it. */
  get(hash: Uint8Array): BitcoinBlock;
  /** Checks the body against its header and writes it; @throws `bitcoin/block-invalid`. */
  keep(raw: Uint8Array): Promise<BitcoinBlock>;
  /** {@link keep} for several blocks, which are written together, or none of them. */
  keepAll(raws: readonly Uint8Array[]): Promise<BitcoinBlock[]>;
}

const CACHED_BLOCKS = 48;
/** Of raw blocks: parsed, they take some times as much. */
const CACHED_BYTES = 8 << 20;

/** The {@link BlockStore} over a store, with the latest blocks parsed in memory; `check` is what the network asks of a full block. */
export function createBlockStore(store: Store, check: BlockCheck = () => undefined): BlockStore {
  const cache = new Map<string, { block: BitcoinBlock; size: number }>();
  let cachedBytes = 0;

  function forget(name: string): void {
    cachedBytes -= cache.get(name)?.size ?? 0;
    cache.delete(name);
  }

  function remember(block: BitcoinBlock, size: number): BitcoinBlock {
    const name = toDigits(block.hash);
    forget(name);
    cache.set(name, { block, size });
    cachedBytes += size;
    for (const oldest of cache.keys()) {
      if (cache.size <= CACHED_BLOCKS && (cachedBytes <= CACHED_BYTES || cache.size === 1)) break;
      forget(oldest);
    }
    return block;
  }

  async function keepAll(raws: readonly Uint8Array[]): Promise<BitcoinBlock[]> {
    const batch = store.batch();
    const kept = raws.map((raw) => {
      const block = parseBlock(raw);
      check(block);
      batch.put(layout.bitcoinBlock, block.hash, raw);
      return block;
    });
    await batch.commit();
    return kept.map((block, i) => remember(block, raws[i]?.length ?? 0));
  }

  return {
    has: (hash) => cache.has(toDigits(hash)) || store.get(layout.bitcoinBlock, hash) !== undefined,
    readRaw: (hash) => store.get(layout.bitcoinBlock, hash),
    get(hash) {
      const cached = cache.get(toDigits(hash));
      if (cached !== undefined) return cached.block;
      const raw = store.get(layout.bitcoinBlock, hash);
      if (raw === undefined) {
        const details = { hash: toDisplay(hash) };
        throw fail('bitcoin/block-missing', `the Bitcoin block ${details.hash} is not here yet`, { details });
      }
      return remember(parseBlock(raw), raw.length);
    },
    keep: async (raw) => (await keepAll([raw]))[0] as BitcoinBlock,
    keepAll,
  };
}
