import { readFileSync } from 'node:fs';
import {
  type BitcoinHeader,
  type BitcoinNetwork,
  type ChainSpec,
  concat,
  decodeBitcoinHeader,
  encodeBitcoinHeader,
  hashBitcoinHeader,
  hasProofOfWork,
  parseChainSpec,
} from '@hemid/protocol';
import { expect, test } from 'vitest';
import { lowestCheckpoint, runStart, verifyHeaderRun } from '../src/header-run.ts';

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

test('the lowest checkpoint of a run that starts at a height is the first whose run starts no lower', () => {
  const period = 420 * 2016;
  for (const spec of [specOf('mainnet', period + 700, 2027), specOf('regtest', 110, 11), specOf('regtest', 3, 3)]) {
    const { genesisHeight } = spec.genesis.bitcoin;
    for (let start = genesisHeight - 50; start < genesisHeight + 4500; start += 7) {
      const lowest = lowestCheckpoint(spec, start);
      expect(runStart(spec, lowest)).toBeGreaterThanOrEqual(start);
      if (lowest > genesisHeight) expect(runStart(spec, lowest - 1)).toBeLessThan(start);
    }
  }
});

/** Headers on the regtest genesis, each changed by `change` and then mined, or taken care not to be. */
function mineRun(change: (header: BitcoinHeader, height: number) => Partial<BitcoinHeader>, unmined?: number): Uint8Array[] {
  const run = [regtest.genesis.bitcoin.genesisHeader];
  for (let height = 1; height <= 15; height += 1) {
    const parent = run[height - 1] as Uint8Array;
    const { time, bits } = decodeBitcoinHeader(parent);
    const plain = { version: 4, previous: hashBitcoinHeader(parent), merkleRoot: new Uint8Array(32), time: time + 600, bits, nonce: 0 };
    const header = { ...plain, ...change(plain, height) };
    while (hasProofOfWork('regtest', hashBitcoinHeader(encodeBitcoinHeader(header)), bits) === (height === unmined)) header.nonce += 1;
    run.push(encodeBitcoinHeader(header));
  }
  return run;
}

function judge(run: readonly Uint8Array[], checkpointHeight: number): string {
  const hashes = run.map(hashBitcoinHeader);
  const part = { height: 0, headers: concat(...run), tip: hashes[hashes.length - 1] as Uint8Array };
  try {
    const { work } = verifyHeaderRun(part, { spec: regtest, checkpoint: { height: checkpointHeight, hash: hashes[checkpointHeight] as Uint8Array } });
    return `work ${work}`;
  } catch (error) {
    return (error as Error).message;
  }
}

test('every header above the checkpoint keeps the rules, and those below are bound to it by their hashes alone', () => {
  expect(
    judge(
      mineRun(() => ({})),
      0,
    ),
  ).toBe('work 30');
  expect(
    judge(
      mineRun(() => ({})),
      15,
    ),
  ).toBe('work 0');
  const at = (wanted: number, change: Partial<BitcoinHeader>) => mineRun((_, height) => (height === wanted ? change : {}));
  const cases: [Uint8Array[], string][] = [
    [mineRun(() => ({}), 13), 'Bitcoin headers: at height 13: proof of work'],
    [at(13, { bits: 0x1f7fffff }), 'Bitcoin headers: at height 13: bits are not what the difficulty rule requires'],
    [at(13, { version: 3 }), 'Bitcoin headers: at height 13: version is too low'],
    [at(13, { previous: new Uint8Array(32) }), 'Bitcoin headers: the one at height 13 does not follow on the one before'],
  ];
  for (const [run, why] of cases) expect(judge(run, 12)).toBe(why);
  // Of the eleven ancestors, 2 to 12, the one at 7 is the median.
  const median = decodeBitcoinHeader(mineRun(() => ({}))[7] as Uint8Array).time;
  expect(judge(at(13, { time: median }), 12)).toBe('Bitcoin headers: at height 13: time is not after the median of its ancestors');
  expect(judge(at(13, { time: median + 1 }), 12)).toMatch(/^work/);
  expect(
    judge(
      mineRun(() => ({}), 13),
      13,
    ),
  ).toBe('work 4');
  expect(judge(at(13, { previous: new Uint8Array(32) }), 13)).toMatch(/does not follow/);
});
