import { fromDisplay, hashKeystone, toDisplay, toKeystoneId } from '@hemid/protocol';
import { describe, expect, it } from 'vitest';
import type { Outlook, PendingTransaction } from '../src/outlook.ts';
import { type Candidate, nextDue, standingOf, toCandidate } from '../src/policy.ts';
import type { Sighting } from '../src/sighting.ts';
import { createKeystoneHolder } from './keystone-holder.ts';

const hashAt = (height: number): string => height.toString(16).padStart(64, '0');
const holder = createKeystoneHolder();

function candidate(number: number, namedHeight: number): Candidate {
  return toCandidate(holder.make(number, hashAt(namedHeight)), { bitcoinTip: fromDisplay(hashAt(namedHeight)), timeMs: 0 });
}

function sighting({ id, keystone }: Candidate, height: number | undefined): Sighting {
  return { keystoneId: id, keystoneNumber: keystone.l2BlockNumber, txid: new Uint8Array(32), miner: new Uint8Array(20), height };
}

function pending(candidate: Candidate): PendingTransaction {
  const sightings = [sighting(candidate, undefined)];
  return { txid: new Uint8Array(32), sightings, spends: [], isOwn: true, feeSats: 200n, vsize: 200, sinceHeight: 499 };
}

/** A chain whose blocks 300 to 499 are watched. */
function outlook(more: Partial<Outlook> = {}): Outlook {
  const heights = new Map(Array.from({ length: 200 }, (_, i) => [hashAt(300 + i), 300 + i]));
  return { tipHeight: 499, heights, confirmed: [], pending: [], coins: [], spendings: [], ...more };
}

describe('the standing of a keystone', () => {
  it('has the abbreviated hash for its name', () => {
    const { id, keystone, origin } = candidate(25, 499);
    expect(id).toBe(toKeystoneId(hashKeystone(keystone)));
    expect(toDisplay(origin.bitcoinTip)).toBe(hashAt(499));
  });

  it.each([
    ['the tip itself', 499, 'due'],
    ['143 below the tip: the next block is the last in which it counts', 356, 'due'],
    ['144 below the tip', 355, 'stale'],
    ['a block that is not on the best chain, or not watched any more', 299, 'unanchored'],
  ] as const)('naming %s', (_, named, standing) => {
    expect(standingOf(candidate(25, named), outlook())).toBe(standing);
  });

  it.each([
    ['at the block that it names', 400, 'due'],
    ['1 above the block that it names', 401, 'published'],
    ['140 above it, in the tip', 540, 'published'],
  ] as const)('with a publication %s', (_, height, standing) => {
    const mine = candidate(25, 400);
    expect(standingOf(mine, outlook({ tipHeight: 540, confirmed: [sighting(mine, height)] }))).toBe(standing);
  });

  it('with a publication 144 above the block that it names is published, with one 145 above not', () => {
    const mine = candidate(25, 400);
    expect(standingOf(mine, outlook({ tipHeight: 545, confirmed: [sighting(mine, 544)] }))).toBe('published');
    expect(standingOf(mine, outlook({ tipHeight: 545, confirmed: [sighting(mine, 545)] }))).toBe('stale');
  });

  it('a publication of another keystone does not count for it', () => {
    const [mine, other] = [candidate(25, 498), candidate(50, 498)];
    expect(standingOf(mine, outlook({ confirmed: [sighting(other, 499)], pending: [pending(other)] }))).toBe('due');
  });

  it('is pending with a publication in the mempool, published with one in the chain too', () => {
    const mine = candidate(25, 490);
    const waiting = [pending(mine)];
    expect(standingOf(mine, outlook({ pending: waiting }))).toBe('pending');
    expect(standingOf(mine, outlook({ pending: waiting, confirmed: [sighting(mine, 495)] }))).toBe('published');
  });
});

describe('the next keystone', () => {
  it('is the newest that is due, in whatever order they come', () => {
    const [a, b, c, d] = [candidate(25, 490), candidate(50, 490), candidate(75, 490), candidate(100, 299)];
    const now = outlook({ pending: [pending(c)] });
    expect(nextDue([a, c, d, b], now, new Set())).toBe(b);
    expect(nextDue([a, c, d, b], now, new Set([b.id]))).toBe(a);
    expect(nextDue([a, c, d, b], now, new Set([a.id, b.id]))).toBeUndefined();
  });
});
