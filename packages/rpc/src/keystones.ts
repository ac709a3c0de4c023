import type { ChainReader, PlacedL2Header } from '@hemid/chain';

/** Canonical keystone blocks from `number` on, every period up or down, as far as there are any. */
export function collectKeystones(chain: ChainReader, from: { number: bigint; direction: 'up' | 'down' }, most: number): PlacedL2Header[] {
  const period = BigInt(chain.spec.genesis.keystonePeriod);
  const step = from.direction === 'up' ? period : -period;
  const blocks: PlacedL2Header[] = [];
  for (let { number } = from; number > 0n && blocks.length < most; number += step) {
    const block = chain.headerAt(number);
    if (block === undefined) break;
    blocks.push(block);
  }
  return blocks;
}

/** The latest keystone blocks of the canonical chain, newest first. */
export function latestKeystones(chain: ChainReader, most: number): PlacedL2Header[] {
  const head = chain.head('latest').header.number;
  return collectKeystones(chain, { number: head - (head % BigInt(chain.spec.genesis.keystonePeriod)), direction: 'down' }, most);
}
