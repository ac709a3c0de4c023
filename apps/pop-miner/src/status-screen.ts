import type { PopMinerStatus } from '@hemid/pop-miner';
import type { DaemonStatus } from './daemon-status.ts';

type Row = readonly [name: string, text: string];

/** The status as one screen of text, at `nowMs`. */
export function renderStatus({ network, source, rewarded, health, miner }: DaemonStatus, nowMs: number): string {
  const head = (height: number, hash: string, time: string): string => {
    return height === 0 ? 'not seen yet' : `${height}  ${hash}  ${ageOf(nowMs - Date.parse(time))} old`;
  };
  const rows: Row[] = [
    ['popmd', `${health.healthy ? 'healthy' : 'NOT HEALTHY'}, on ${network} by ${source}`],
    ...health.reasons.map((reason): Row => ['', reason]),
    ['bitcoin', head(health.bitcoin_best_height, health.bitcoin_best_hash, health.bitcoin_best_time)],
    ['l2', head(health.ethereum_best_height, health.ethereum_best_hash, health.ethereum_best_time)],
    ['pays', miner.address],
    ['earns', rewarded],
    ['balance', `${miner.balanceSats} sats in ${miner.coins} coins, ${miner.spendableSats} spendable now`],
    ...planRows(miner),
    ['published', publishedText(miner)],
    ...publicationRows(miner),
    ...queueRows(miner),
    ...(miner.trouble === undefined ? [] : [['trouble', miner.trouble] as const]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, text]) => `${name.padEnd(width)}  ${text}\n`).join('');
}

function ageOf(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

/** The amounts that a JSON brought are numbers, whatever their type says here. */
const perVbyte = (rate: bigint): string => `${Number(rate) / 1000} sats/vB`;

function planRows({ feeRate, budget, runwayDays }: PopMinerStatus): Row[] {
  return [
    ...(runwayDays === undefined ? [] : [['lasts', `${runwayDays.toFixed(1)} days`] as const]),
    ...(feeRate === undefined ? [] : [['fee', `${perVbyte(feeRate)} now`] as const]),
    ...(budget === undefined
      ? []
      : [['spent', `${budget.spentSats} sats in 144 blocks${budget.limitSats === undefined ? '' : ` of ${budget.limitSats} allowed`}`] as const]),
  ];
}

function publishedText({ publishedCount, replacedCount, pending }: PopMinerStatus): string {
  return `${publishedCount} since the start${`, ${replacedCount} replaced`}, ${pending} waiting in the mempool`;
}

function publicationRows({ lastPublication: last }: PopMinerStatus): Row[] {
  if (last === undefined) return [];
  const state = last.state === 'mempool' ? 'in the mempool' : `${last.confirmations} confirmations`;
  return [['last', `keystone ${last.keystoneNumber}, ${state}, ${last.txid}`]];
}

function queueRows({ queue, abandoned }: PopMinerStatus): Row[] {
  const entries = queue.map(({ keystone, standing, reason, feeRate }) => {
    return `${keystone} ${standing}${feeRate === undefined ? '' : ` at ${perVbyte(feeRate)}`}${reason === undefined ? '' : ` (${reason})`}`;
  });
  const left = abandoned.slice(-3).map(({ keystone, reason }) => `${keystone} (${reason})`);
  return [
    ...entries.map((entry, i): Row => [i === 0 ? 'keystones' : '', entry]),
    ...(left.length === 0 ? [] : [['given up', left.join(', ')] as const]),
  ];
}
