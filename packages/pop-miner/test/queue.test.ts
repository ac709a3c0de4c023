import { silentLogger } from '@hemid/runtime';
import { describe, expect, it } from 'vitest';
import { fail } from '../src/errors.ts';
import type { Outlook } from '../src/outlook.ts';
import { type Candidate, MAX_KEYSTONES, toCandidate } from '../src/policy.ts';
import { createQueue } from '../src/queue.ts';
import { createKeystoneHolder } from './keystone-holder.ts';

const NAMED = '11'.repeat(32);
const LIMIT = { nowMs: 0, maxAgeMs: 1000 };
const outlook: Outlook = { tipHeight: 100, heights: new Map([[NAMED, 100]]), confirmed: [], pending: [], coins: [], spendings: [] };
const holder = createKeystoneHolder();

function candidate(number: number, named = NAMED): Candidate {
  return toCandidate(holder.make(number, named), { bitcoinTip: Buffer.from(named, 'hex').reverse(), timeMs: 0 });
}

describe('the queue of keystones', () => {
  const newest = Array.from({ length: MAX_KEYSTONES }, (_, i) => candidate(500 - i * 25));

  it('says why each was left alone', () => {
    const queue = createQueue(silentLogger);
    const [due, orphan] = [candidate(50), candidate(25, '22'.repeat(32))];
    queue.update([due, orphan], outlook, LIMIT);
    queue.note(due, fail('pop-miner/budget', 'spent'));
    expect(queue.entries().map(({ standing, reason }) => [standing, reason])).toEqual([
      ['due', 'budget'],
      ['unanchored', 'unanchored'],
    ]);
    queue.update([due, orphan], outlook, LIMIT);
    expect(queue.entries()[0]).toMatchObject({ standing: 'due', reason: 'budget' });
  });

  it.each([
    ['superseded', 25, undefined],
    ['budget', 25, fail('pop-miner/budget', 'spent')],
    ['orphaned', 510, fail('pop-miner/budget', 'spent')],
  ])('remembers what left it: %s', (reason, number, error) => {
    const queue = createQueue(silentLogger);
    const gone = candidate(number);
    queue.update([gone], outlook, LIMIT);
    if (error !== undefined) queue.note(gone, error);
    queue.update(newest, outlook, LIMIT);
    expect(queue.abandoned()).toEqual([{ keystone: number, id: gone.id, reason }]);
  });

  it('remembers a publication that vanished when its keystone had left it, not before', () => {
    const queue = createQueue(silentLogger);
    const mine = candidate(25);
    const sighting = { keystoneId: mine.id, keystoneNumber: 25, txid: new Uint8Array(32), miner: new Uint8Array(20), height: 101 };
    queue.update([mine], { ...outlook, tipHeight: 101, confirmed: [sighting] }, LIMIT);
    queue.lose(sighting);
    expect(queue.abandoned()).toEqual([]);
    queue.update(newest, outlook, LIMIT);
    queue.lose(sighting);
    expect(queue.abandoned()).toEqual([{ keystone: 25, id: mine.id, reason: 'lost' }]);
  });

  it('does not count as abandoned what was published, and remembers no more than 50', () => {
    const queue = createQueue(silentLogger);
    const mine = candidate(25);
    const sighting = { keystoneId: mine.id, keystoneNumber: 25, txid: new Uint8Array(32), miner: new Uint8Array(20), height: 101 };
    queue.update([mine], { ...outlook, tipHeight: 101, confirmed: [sighting] }, LIMIT);
    for (let i = 0; i < 60; i += 1) queue.update([candidate(1000 + i * 25)], outlook, LIMIT);
    expect(queue.abandoned()).toHaveLength(50);
    expect(queue.abandoned().some(({ id }) => id === mine.id)).toBe(false);
  });
});
