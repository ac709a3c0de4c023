import type { PopMinerStatus } from '@hemid/pop-miner';
import { describe, expect, it } from 'vitest';
import type { DaemonStatus } from '../src/daemon-status.ts';
import type { Sight } from '../src/head-watch.ts';
import { readHealth } from '../src/health.ts';
import { toJsonAnswer } from '../src/http-server.ts';
import { renderMetrics } from '../src/metrics.ts';
import { renderStatus } from '../src/status-screen.ts';

const NOW_MS = 1_800_000_000_000;
const BITCOIN: Sight = { head: { height: 900_000, hash: 'aa'.repeat(32), time: NOW_MS / 1000 - 600 }, trouble: undefined };
const L2: Sight = { head: { height: 2525, hash: `0x${'bb'.repeat(32)}`, time: NOW_MS / 1000 - 3 }, trouble: undefined };
const MINER: PopMinerStatus = {
  address: 'bc1qminer',
  balanceSats: 3_000_000n,
  spendableSats: 2_000_000n,
  coins: 3,
  pending: 1,
  lastPublication: { keystoneNumber: 2500, keystoneId: 'cc'.repeat(32), txid: 'dd'.repeat(32), state: 'confirmed', confirmations: 2 },
  publishedCount: 7,
  replacedCount: 1,
  feeRate: 2500n,
  budget: { limitSats: 50_000n, spentSats: 12_345n },
  runwayDays: 41.25,
  queue: [{ keystone: 2525, id: 'ee'.repeat(32), standing: 'due', reason: 'no-funds' }],
  abandoned: [
    { keystone: 2450, id: 'ff'.repeat(32), reason: 'budget' },
    { keystone: 2475, id: 'ff'.repeat(32), reason: 'budget' },
  ],
  trouble: 'waiting for something',
};

/** As it comes out of `/status`. */
function statusOf(miner: PopMinerStatus, l2 = L2): DaemonStatus {
  const health = readHealth({ bitcoin: () => BITCOIN, l2: () => l2 }, NOW_MS);
  return JSON.parse(String(toJsonAnswer({ network: 'mainnet', source: 'esplora', rewarded: '0x11', health, miner }).body)) as DaemonStatus;
}

describe('the screen', () => {
  it('shows everything at once', () => {
    expect(renderStatus(statusOf(MINER), NOW_MS).split('\n')).toEqual([
      'popmd      healthy, on mainnet by esplora',
      `bitcoin    900000  ${'aa'.repeat(32)}  10 min old`,
      `l2         2525  0x${'bb'.repeat(32)}  3 s old`,
      'pays       bc1qminer',
      'earns      0x11',
      'balance    3000000 sats in 3 coins, 2000000 spendable now',
      'lasts      41.3 days',
      'fee        2.5 sats/vB now',
      'spent      12345 sats in 144 blocks of 50000 allowed',
      'published  7 since the start, 1 replaced, 1 waiting in the mempool',
      `last       keystone 2500, 2 confirmations, ${'dd'.repeat(32)}`,
      'keystones  2525 due (no-funds)',
      'given up   2450 (budget), 2475 (budget)',
      'trouble    waiting for something',
      '',
    ]);
  });

  it('says first what is wrong', () => {
    const screen = renderStatus(statusOf(MINER, { ...L2, trouble: 'no answer' }), NOW_MS);
    expect(screen).toMatch(/^popmd +NOT HEALTHY, on mainnet by esplora\n +l2: no answer\n/);
  });
});

describe('the metrics', () => {
  it('have the public names, and ours', () => {
    const text = renderMetrics(MINER, { bitcoin: () => BITCOIN, l2: () => ({ ...L2, trouble: 'no answer' }) });
    expect(text.split('\n').filter((line) => !line.startsWith('#'))).toEqual([
      `popm_bitcoin_block_height{hash="${'aa'.repeat(32)}",timestamp="1799999400"} 900000`,
      `popm_ethereum_block_height{hash="0x${'bb'.repeat(32)}",timestamp="1799999997"} 2525`,
      'popm_gozer_connected 1',
      'popm_geth_connected 0',
      'popm_running 1',
      'popm_balance_sats 3000000',
      'popm_spendable_sats 2000000',
      'popm_coins 3',
      'popm_pending_publications 1',
      'popm_trouble 1',
      'popm_publications_total 7',
      'popm_replacements_total 1',
      'popm_fee_rate_sats_per_vbyte 2.5',
      'popm_spent_day_sats 12345',
      'popm_budget_day_sats 50000',
      'popm_runway_days 41.25',
      'popm_keystones_abandoned{reason="budget"} 2',
      '',
    ]);
  });

  it('leave out what is not known', () => {
    const unseen: Sight = { head: undefined, trouble: 'was not asked yet' };
    const { address, balanceSats, spendableSats, coins, pending, publishedCount, replacedCount } = MINER;
    const fresh = { address, balanceSats, spendableSats, coins, pending, publishedCount, replacedCount };
    const text = renderMetrics({ ...fresh, budget: { spentSats: 0n }, queue: [], abandoned: [] }, { bitcoin: () => unseen, l2: () => unseen });
    expect(text).not.toMatch(/block_height|fee_rate|runway|budget|undefined|NaN/);
    expect(text).toContain('popm_gozer_connected 0\n');
  });
});
