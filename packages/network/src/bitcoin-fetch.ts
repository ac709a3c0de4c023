import type { BitcoinSource, BlockStore, HeaderChain } from '@hemid/bitcoin';
import { equal, fromDisplay, HEADER_SIZE, hashBitcoinHeader, isHemidError } from '@hemid/protocol';
import type { Logger } from '@hemid/runtime';
import type { Upstream } from './upstream.ts';

/** How far above a block the node's own Bitcoin chain must be before a stranger's word for that block's body is taken. */
export const BURIED = 100;

export interface BitcoinFetchDeps {
  source: BitcoinSource;
  headers: HeaderChain;
  blocks: BlockStore;
  upstream: Upstream;
  log: Logger;
}

/**
 * Fetches the body of a Bitcoin block that an L2 block needs: from the own source; from the upstream only if the own
 * source knows the hash, or its chain is {@link BURIED} blocks above the L2 block's tip (protocol 4.4).
 *
 * @returns whether it is here now.
 */
export async function fetchBitcoinBlock(
  deps: BitcoinFetchDeps,
  wanted: { hash: Uint8Array; tipHeight: number },
  signal?: AbortSignal,
): Promise<boolean> {
  const { source, headers, blocks, upstream } = deps;
  const own = await source.block(wanted.hash, signal);
  if (own !== undefined) {
    await blocks.keep(own);
    return true;
  }
  const trusted = (await source.knows(wanted.hash, signal)) || headers.best().height >= wanted.tipHeight + BURIED;
  const foreign = trusted ? await upstream.bitcoinBlock(wanted.hash, signal) : undefined;
  return foreign !== undefined && keepForeign(blocks, wanted.hash, foreign);
}

/** Keeps a stranger's answer if it is the block that was asked for, body and all; any other answer is as none. */
async function keepForeign(blocks: BlockStore, hash: Uint8Array, raw: Uint8Array): Promise<boolean> {
  if (!equal(hashBitcoinHeader(raw.subarray(0, HEADER_SIZE)), hash)) return false;
  try {
    await blocks.keep(raw);
    return true;
  } catch (error) {
    if (isHemidError(error, 'bitcoin/block-invalid')) return false;
    throw error;
  }
}

/** The Bitcoin block that an error says is missing, internal order. */
export function missingBitcoinBlock(error: unknown): Uint8Array | undefined {
  return isHemidError(error, 'bitcoin/block-missing') ? fromDisplay(String(error.details['hash'])) : undefined;
}
