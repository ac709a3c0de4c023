import type { PopMinerStatus } from '@hemid/pop-miner';
import type { Head, HeadWatch } from './head-watch.ts';

interface Metric {
  /** Without the namespace. */
  name: string;
  type: 'gauge' | 'counter';
  help: string;
  samples: readonly { labels?: Readonly<Record<string, string>>; value: bigint | number }[];
}

const NAMESPACE = 'popm';

/** The daemon's metrics in Prometheus' text format: the public miner's names, and ours. */
export function renderMetrics(status: PopMinerStatus, heads: Pick<HeadWatch, 'bitcoin' | 'l2'>): string {
  const { bitcoin, l2 } = { bitcoin: heads.bitcoin(), l2: heads.l2() };
  const gauge = (name: string, help: string, value: bigint | number | undefined): Metric => ({
    name,
    type: 'gauge',
    help,
    samples: samplesOf(value),
  });
  const counter = (name: string, help: string, value: number | undefined): Metric => ({ name, type: 'counter', help, samples: samplesOf(value) });
  const metrics: Metric[] = [
    { name: 'bitcoin_block_height', type: 'gauge', help: 'best Bitcoin block', samples: headSamples(bitcoin.head) },
    { name: 'ethereum_block_height', type: 'gauge', help: 'latest L2 block', samples: headSamples(l2.head) },
    gauge('gozer_connected', 'whether the Bitcoin source answers', bitcoin.trouble === undefined ? 1 : 0),
    gauge('geth_connected', 'whether the L2 node answers', l2.trouble === undefined ? 1 : 0),
    gauge('running', 'whether the miner runs', 1),
    gauge('balance_sats', "the miner's unspent outputs, unconfirmed change included", status.balanceSats),
    gauge('spendable_sats', 'what a publication could be paid with now', status.spendableSats),
    gauge('coins', 'number of these outputs', status.coins),
    gauge('pending_publications', 'own publications in the mempool', status.pending),
    gauge('trouble', 'whether something keeps the miner from going on', status.trouble === undefined ? 0 : 1),
    counter('publications_total', 'publications broadcast since the start', status.publishedCount),
    counter('replacements_total', 'replacements of publications broadcast since the start', status.replacedCount),
    gauge('fee_rate_sats_per_vbyte', 'what a publication would pay now', toSatsPerVbyte(status.feeRate)),
    gauge('spent_day_sats', 'fees of the last 144 blocks and of the mempool', status.budget.spentSats),
    gauge('budget_day_sats', 'what may be spent on fees in 144 blocks', status.budget.limitSats),
    gauge('runway_days', 'for how many days the coins last', status.runwayDays),
    { name: 'keystones_abandoned', type: 'gauge', help: 'keystones given up lately, by reason', samples: abandonedSamples(status) },
  ];
  return metrics
    .filter(({ samples }) => samples.length > 0)
    .map(render)
    .join('');
}

/** What is not known is left out. */
function samplesOf(value: bigint | number | undefined): Metric['samples'] {
  return value === undefined ? [] : [{ value }];
}

function toSatsPerVbyte(rate: bigint | undefined): number | undefined {
  return rate === undefined ? undefined : Number(rate) / 1000;
}

function abandonedSamples({ abandoned }: PopMinerStatus): Metric['samples'] {
  const counts = new Map<string, number>();
  for (const { reason } of abandoned) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts].map(([reason, value]) => ({ labels: { reason }, value }));
}

function headSamples(head: Head | undefined): Metric['samples'] {
  return head === undefined ? [] : [{ labels: { hash: head.hash, timestamp: String(head.time) }, value: head.height }];
}

function render({ name, type, help, samples }: Metric): string {
  const full = `${NAMESPACE}_${name}`;
  const lines = samples.map(({ labels = {}, value }) => `${full}${renderLabels(labels)} ${value}\n`);
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join('')}`;
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, '')}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}
