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
  const gauge = (name: string, help: string, value: bigint | number): Metric => ({ name, type: 'gauge', help, samples: [{ value }] });
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
    { name: 'publications_total', type: 'counter', help: 'publications broadcast since the start', samples: [{ value: status.publishedCount }] },
  ];
  return metrics
    .filter(({ samples }) => samples.length > 0)
    .map(render)
    .join('');
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
