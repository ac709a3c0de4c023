import { describe, expect, it } from 'vitest';
import type { Sight } from '../src/head-watch.ts';
import { readHealth } from '../src/health.ts';

const NOW_MS = 1_800_000_000_000;
const seen = (head: { height: number; hash: string; age: number }): Sight => ({
  head: { height: head.height, hash: head.hash, time: NOW_MS / 1000 - head.age },
  trouble: undefined,
});
const BITCOIN = seen({ height: 900_000, hash: 'aa', age: 3600 });
const L2 = seen({ height: 25, hash: '0xbb', age: 30 });
const healthOf = (bitcoin: Sight, l2: Sight) => readHealth({ bitcoin: () => bitcoin, l2: () => l2 }, NOW_MS);

describe('the health', () => {
  it('is good while both nodes answer and the L2 head is at most 30 s old, however old the Bitcoin one is', () => {
    expect(healthOf(BITCOIN, L2)).toEqual({
      healthy: true,
      reasons: [],
      bitcoin_best_height: 900_000,
      bitcoin_best_hash: 'aa',
      bitcoin_best_time: '2027-01-15T07:00:00Z',
      ethereum_best_height: 25,
      ethereum_best_hash: '0xbb',
      ethereum_best_time: '2027-01-15T07:59:30Z',
      gozer_connected: true,
      geth_connected: true,
    });
  });

  it('says that the L2 stands still', () => {
    expect(healthOf(BITCOIN, seen({ height: 25, hash: '0xbb', age: 31 }))).toMatchObject({
      healthy: false,
      reasons: ['l2: its newest block is 31 s old, more than 30'],
      geth_connected: true,
    });
  });

  it('says which node does not answer, and what was last known of it', () => {
    expect(healthOf({ ...BITCOIN, trouble: 'no answer within 5 s' }, L2)).toMatchObject({
      healthy: false,
      reasons: ['bitcoin: no answer within 5 s'],
      bitcoin_best_height: 900_000,
      gozer_connected: false,
      geth_connected: true,
    });
  });

  it('is bad, with the zeros of the public miner, before anything was seen', () => {
    const unseen: Sight = { head: undefined, trouble: 'was not asked yet' };
    expect(healthOf(unseen, unseen)).toMatchObject({
      healthy: false,
      bitcoin_best_height: 0,
      bitcoin_best_hash: '',
      bitcoin_best_time: '0001-01-01T00:00:00Z',
      reasons: ['bitcoin: was not asked yet', 'l2: was not asked yet'],
    });
  });
});
