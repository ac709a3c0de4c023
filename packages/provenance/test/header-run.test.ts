import { readFileSync } from 'node:fs';
import { type BitcoinNetwork, type ChainSpec, parseChainSpec } from '@hemid/protocol';
import { expect, test } from 'vitest';
import { runStart } from '../src/header-run.ts';

const regtest = parseChainSpec(JSON.parse(readFileSync(new URL('../../../configs/regtest.json', import.meta.url), 'utf8')));

/** A spec as far as {@link runStart} reads it. */
function specOf(network: BitcoinNetwork, genesisHeight: number, headersBefore: number): ChainSpec {
  const bitcoin = { ...regtest.genesis.bitcoin, network, genesisHeight, headersBefore: Array(headersBefore).fill(new Uint8Array(80)) };
  return { ...regtest, genesis: { ...regtest.genesis, bitcoin } };
}

test('a run starts where the period of its checkpoint does, and holds the eleven times before the next block', () => {
  const mainnet = specOf('mainnet', 840_000, 2027);
  const period = 420 * 2016;
  expect(runStart(mainnet, period + 1000)).toBe(period);
  expect(runStart(mainnet, period + 2015)).toBe(period);
  // The next block looks at the times of eleven ancestors, of which the checkpoint is the last.
  expect(runStart(mainnet, period + 3)).toBe(period - 7);
  expect(runStart(mainnet, period)).toBe(period - 10);
  // What a spec holds suffices for its own hVM genesis, wherever in its period that lies.
  for (let offset = 0; offset < 2016; offset += 1) {
    const genesisHeight = period + offset;
    const start = runStart(specOf('mainnet', genesisHeight, 2027), genesisHeight);
    expect(start).toBeLessThanOrEqual(Math.min(period, genesisHeight - 10));
    expect(start).toBeGreaterThanOrEqual(genesisHeight - 2027);
  }
});

test('on regtest, where nothing retargets, a run starts ten blocks below its checkpoint, or with the first header of the spec', () => {
  expect(runStart(specOf('regtest', 110, 11), 200)).toBe(190);
  expect(runStart(specOf('regtest', 110, 11), 110)).toBe(100);
  expect(runStart(specOf('regtest', 3, 3), 3)).toBe(0);
});
