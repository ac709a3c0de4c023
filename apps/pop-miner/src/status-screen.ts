import type { PopMinerStatus } from '@hemid/pop-miner';
import type { DaemonStatus } from './daemon-status.ts';

/** The status as one screen of text, at `nowMs`. */
export function renderStatus({ network, source, rewarded, health, miner }: DaemonStatus, nowMs: number): string {
  const age = (time: string): string => `${Math.max(0, Math.round((nowMs - Date.parse(time)) / 1000))} s old`;
  const head = (height: number, hash: string, time: string): string => (height === 0 ? 'not seen yet' : `${height}  ${hash}  ${age(time)}`);
  const rows: [string, string][] = [
    ['popmd', `${health.healthy ? 'healthy' : 'NOT HEALTHY'}, on ${network} by ${source}`],
    ...health.reasons.map((reason): [string, string] => ['', reason]),
    ['bitcoin', head(health.bitcoin_best_height, health.bitcoin_best_hash, health.bitcoin_best_time)],
    ['l2', head(health.ethereum_best_height, health.ethereum_best_hash, health.ethereum_best_time)],
    ['pays', miner.address],
    ['earns', rewarded],
    ['balance', `${miner.balanceSats} sats in ${miner.coins} coins, ${miner.spendableSats} spendable now`],
    ['published', `${miner.publishedCount} since the start, ${miner.pending} waiting in the mempool`],
    ...publicationRows(miner),
    ...(miner.trouble === undefined ? [] : [['trouble', miner.trouble] as [string, string]]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}\n`).join('');
}

function publicationRows({ lastPublication: last }: PopMinerStatus): [string, string][] {
  if (last === undefined) return [];
  const state = last.state === 'mempool' ? 'in the mempool' : `${last.confirmations} confirmations`;
  return [['last', `keystone ${last.keystoneNumber}, ${state}, ${last.txid}`]];
}
