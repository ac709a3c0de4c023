import { readFileSync } from 'node:fs';
import { type ChainSpec, hashBitcoinHeader, isHemidError, parseChainSpec, toDisplay } from '@hemid/protocol';
import { openMemoryStore } from '@hemid/store';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type HeaderChain, openHeaderChain } from '../src/index.ts';
import { SIGNET_BLOCKS, SIGNET_GENESIS } from './signet-blocks.ts';

const regtest = parseChainSpec(JSON.parse(readFileSync(new URL('../../../configs/regtest.json', import.meta.url), 'utf8')));
/** A signet from its first block on, which a spec file could not be: it wants the headers before. */
const spec: ChainSpec = {
  ...regtest,
  genesis: { ...regtest.genesis, bitcoin: { ...regtest.genesis.bitcoin, network: 'signet', genesisHeader: SIGNET_GENESIS } },
};
const headers = SIGNET_BLOCKS.map((raw) => raw.slice(0, 80));

async function openWith(count: number): Promise<HeaderChain> {
  const chain = await openHeaderChain(await openMemoryStore(), spec);
  await chain.add(headers.slice(0, count));
  return chain;
}

test('the first headers of the default signet are valid', async () => {
  expect(toDisplay(hashBitcoinHeader(SIGNET_GENESIS))).toBe('00000008819873e925422c1ff0f99f7cc9bbb232af63a077a480a3633bee1ef6');
  const chain = await openWith(headers.length);
  expect(chain.best().height).toBe(3);
  // 2^256 / (0x0377ae × 2^216 + 1), three times.
  expect(chain.best().work).toBe(3n * (2n ** 256n / (0x377aen * 2n ** 216n + 1n)));
});

test('a valid header with any bits changed is refused, and changes nothing', async () => {
  const chain = await openWith(2);
  const last = headers[2] as Uint8Array;
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 79 }), fc.integer({ min: 1, max: 255 }), async (at, mask) => {
      const changed = last.map((byte, i) => (i === at ? byte ^ mask : byte));
      const error: unknown = await chain.add([changed]).catch((thrown: unknown) => thrown);
      if (!isHemidError(error)) throw new Error('it was accepted');
      expect(error.code).toBe(at >= 4 && at < 36 ? 'bitcoin/header-orphan' : 'bitcoin/header-invalid');
      if (at >= 72 && at < 76) expect(error.details['rule']).toMatch(/bits/);
      expect(chain.best().height).toBe(2);
    }),
    { numRuns: 1000 },
  );
  await chain.add([last]);
  expect(chain.best().height).toBe(3);
});
