import type { Head, HeadWatch } from './head-watch.ts';

/** The public miner's health: its names, with our reasons. */
export interface Health {
  healthy: boolean;
  /** One sentence for each thing that is wrong. */
  reasons: string[];
  bitcoin_best_height: number;
  /** Display order; empty while unknown. */
  bitcoin_best_hash: string;
  /** RFC 3339. */
  bitcoin_best_time: string;
  ethereum_best_height: number;
  ethereum_best_hash: string;
  ethereum_best_time: string;
  /** Whether the Bitcoin source answers. */
  gozer_connected: boolean;
  /** Whether the L2 node answers. */
  geth_connected: boolean;
}

/** An older L2 head is a chain that stands still. */
const MAX_L2_AGE_SECONDS = 30;
/** Go's zero time, which the public miner shows while it knows nothing. */
const NO_TIME = '0001-01-01T00:00:00Z';

/** How things stand at `nowMs`: healthy when both nodes answer and the L2 head is at most 30 s old. */
export function readHealth(heads: Pick<HeadWatch, 'bitcoin' | 'l2'>, nowMs: number): Health {
  const { bitcoin, l2 } = { bitcoin: heads.bitcoin(), l2: heads.l2() };
  const reasons = [
    ...(bitcoin.trouble === undefined ? [] : [`bitcoin: ${bitcoin.trouble}`]),
    ...(l2.trouble === undefined ? [] : [`l2: ${l2.trouble}`]),
    ...ageReasons(l2.head, nowMs),
  ];
  return {
    healthy: reasons.length === 0,
    reasons,
    bitcoin_best_height: bitcoin.head?.height ?? 0,
    bitcoin_best_hash: bitcoin.head?.hash ?? '',
    bitcoin_best_time: timeOf(bitcoin.head),
    ethereum_best_height: l2.head?.height ?? 0,
    ethereum_best_hash: l2.head?.hash ?? '',
    ethereum_best_time: timeOf(l2.head),
    gozer_connected: bitcoin.trouble === undefined,
    geth_connected: l2.trouble === undefined,
  };
}

function ageReasons(head: Head | undefined, nowMs: number): string[] {
  const age = head === undefined ? 0 : Math.floor(nowMs / 1000) - head.time;
  return age > MAX_L2_AGE_SECONDS ? [`l2: its newest block is ${age} s old, more than ${MAX_L2_AGE_SECONDS}`] : [];
}

function timeOf(head: Head | undefined): string {
  return head === undefined ? NO_TIME : new Date(head.time * 1000).toISOString().replace('.000Z', 'Z');
}
