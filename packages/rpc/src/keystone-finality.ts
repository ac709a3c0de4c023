import type { ChainReader, PlacedL2Header } from '@hemid/chain';
import { type KeystoneJson, toDigits, toKeystoneJson } from '@hemid/protocol';
import type { PublishedKeystone } from './ports.ts';

/** Finality of a keystone as the public finality daemon writes it, its fields in this order (protocol section 12). */
export interface KeystoneFinality {
  l2_keystone: KeystoneJson;
  /** Of the Bitcoin block: hex of the hash in *internal* order; empty when nothing is published. */
  block_hash: string;
  block_height: number;
  effective_confirmations: number;
  /** Left out when nothing is published. */
  super_finality?: boolean;
}

/** Finality of a keystone block of the canonical chain. A publication in the tip itself does not show yet, as on the public network. */
export function showKeystoneFinality(
  chain: ChainReader,
  { keystone, best }: { keystone: PlacedL2Header; best: PublishedKeystone | undefined },
): KeystoneFinality {
  const l2Keystone = toKeystoneJson(chain.keystone(keystone));
  if (best === undefined || best.confirmations < 1) {
    return { l2_keystone: l2Keystone, block_hash: '', block_height: 0, effective_confirmations: 0 };
  }
  return {
    l2_keystone: l2Keystone,
    block_hash: toDigits(best.publication.blockHash),
    block_height: best.publication.height,
    effective_confirmations: best.confirmations,
    super_finality: best.confirmations >= chain.spec.genesis.finality.super,
  };
}
