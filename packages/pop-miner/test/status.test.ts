import { Secret } from '@hemid/runtime';
import { describe, expect, it } from 'vitest';
import type { Outlook } from '../src/outlook.ts';
import { createPopWallet } from '../src/pop-wallet.ts';
import type { Sighting } from '../src/sighting.ts';
import { changesBetween, describeOutlook } from '../src/status.ts';

const wallet = createPopWallet(new Secret(new Uint8Array(32).fill(1)), { network: 'regtest', kind: 'p2wpkh' });

function sighting(number: number, height: number | undefined, miner = wallet.miner): Sighting {
  return { keystoneId: `keystone ${number}`, keystoneNumber: number, txid: new Uint8Array(32).fill(number), miner, height };
}

const BLANK = { spends: [], isOwn: true, feeSats: 200n, vsize: 200, sinceHeight: 100 };

/** A chain of which the blocks from 100 up to `tipHeight` are watched. */
function outlook(tipHeight: number, sightings: readonly Sighting[]): Outlook {
  const heights = new Map(Array.from({ length: tipHeight - 99 }, (_, i) => [`block ${100 + i}`, 100 + i]));
  const confirmed = sightings.filter(({ height }) => height !== undefined);
  const waiting = sightings.filter(({ height }) => height === undefined);
  const pending = waiting.map((sighting) => ({ ...BLANK, txid: sighting.txid, sightings: [sighting] }));
  return { tipHeight, heights, confirmed, pending, coins: [], spendings: [] };
}

const changes = (before: Outlook, after: Outlook) =>
  changesBetween(before, after, wallet.miner).map(({ what, sighting: { keystoneNumber } }) => [what, keystoneNumber]);

describe('what is told of publications', () => {
  it.each<[string, Sighting[], Sighting[], unknown[]]>([
    ['mined', [sighting(25, undefined)], [sighting(25, 110)], [['confirmed', 25]]],
    ['broadcast and mined since the last look', [], [sighting(25, 110)], [['confirmed', 25]]],
    ['mined in another block', [sighting(25, 109)], [sighting(25, 110)], [['confirmed', 25]]],
    ['back in the mempool', [sighting(25, 110)], [sighting(25, undefined)], [['returned', 25]]],
    ['broadcast', [], [sighting(25, undefined)], []],
    [
      'gone',
      [sighting(25, 110), sighting(50, undefined)],
      [],
      [
        ['vanished', 50],
        ['vanished', 25],
      ],
    ],
    ['too far down to be watched any more', [sighting(25, 99)], [], []],
    ['as it was', [sighting(25, 110), sighting(50, undefined)], [sighting(25, 110), sighting(50, undefined)], []],
    ['of somebody else', [], [sighting(25, 110, new Uint8Array(20))], []],
  ])('%s', (_, before, after, told) => {
    expect(changes(outlook(110, before), outlook(110, after))).toEqual(told);
  });

  it('the last is that of the newest keystone, in the chain or not', () => {
    const last = (...sightings: Sighting[]) => describeOutlook(outlook(110, sightings), wallet).lastPublication;
    expect(last(sighting(50, 101), sighting(25, undefined))).toMatchObject({ keystoneNumber: 50, state: 'confirmed', confirmations: 10 });
    expect(last(sighting(50, 101), sighting(75, undefined))).toMatchObject({ keystoneNumber: 75, state: 'mempool', confirmations: 0 });
    expect(last(sighting(50, 101, new Uint8Array(20)))).toBeUndefined();
  });
});
