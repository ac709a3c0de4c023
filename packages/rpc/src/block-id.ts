import type { ChainView, PlacedL2Header } from '@hemid/chain';
import { z } from 'zod';
import { fail } from './errors.ts';
import { hash, quantity } from './param.ts';

const TAGS = ['latest', 'pending', 'safe', 'finalized', 'earliest'] as const;

/** Which block is meant: by name, by number, or (EIP-1898) by hash. */
export type BlockId = { tag: (typeof TAGS)[number] } | { number: bigint } | { hash: Uint8Array; requireCanonical: boolean };

const WORDS = 'must be a hex number such as "0x1f" or one of "latest", "safe", "finalized", "earliest", "pending"';
const tag = z.enum(TAGS).transform((name) => ({ tag: name }));
const number = quantity.transform((value) => ({ number: value }));
const byHash = z
  .object({ blockHash: hash, requireCanonical: z.boolean().default(false) })
  .transform(({ blockHash, requireCanonical }) => ({ hash: blockHash, requireCanonical }));
const byNumber = z.object({ blockNumber: quantity }).transform(({ blockNumber }) => ({ number: blockNumber }));
const bareHash = hash.transform((value) => ({ hash: value, requireCanonical: false }));

/** A number or tag. */
export const blockNumber = z.union([tag, number], WORDS);

/** A number, tag, hash or object of EIP-1898. */
export const blockId = z.union([tag, bareHash, number, byHash, byNumber], `${WORDS}, a block hash, or {"blockHash": …} or {"blockNumber": …}`);

/** {@link blockId}, the latest block when left out. */
export const blockIdOrLatest = blockId.default({ tag: 'latest' });

/** The header of a block, or `undefined`; `pending` is the latest block, for this node shows none before its time. */
export function readBlockHeader(chain: ChainView, id: BlockId): PlacedL2Header | undefined {
  if ('tag' in id) return chain.head(id.tag === 'pending' ? 'latest' : id.tag);
  if ('number' in id) return chain.headerAt(id.number);
  const placed = chain.header(id.hash);
  if (placed !== undefined && id.requireCanonical && !chain.isCanonical(placed)) {
    throw fail('rpc/not-found', 'hash is not currently canonical');
  }
  return placed;
}

/** The header of a block whose state is asked for; @throws `rpc/not-found` in geth's words. */
export function getBlockHeader(chain: ChainView, id: BlockId): PlacedL2Header {
  const placed = readBlockHeader(chain, id);
  if (placed === undefined) throw fail('rpc/not-found', 'header not found');
  return placed;
}
