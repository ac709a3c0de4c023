import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Node } from './node.ts';
import type { ReadCounts } from './read-thread.ts';

const NANOSECONDS = 1e9;
const eventLoopDelay = monitorEventLoopDelay({ resolution: 5 });
eventLoopDelay.enable();

/** The 99th percentile of the event loop's delay since it was asked for last, seconds. */
function takeEventLoopDelay(): number {
  const seconds = eventLoopDelay.percentile(99) / NANOSECONDS;
  eventLoopDelay.reset();
  return seconds;
}

/** The node's gauges in Prometheus' text format. */
export function renderMetrics({ chain, headers, pool, bitcoinSync }: Node, reads: ReadCounts = { calls: 0, answered: 0, lost: 0 }): string {
  const counts = pool?.counts();
  const gauges: [string, string, bigint | number][] = [
    ['hemid_l2_head_number', 'number of the latest L2 block', chain.head('latest').header.number],
    ['hemid_l2_safe_number', 'number of the safe L2 block', chain.head('safe').header.number],
    ['hemid_l2_finalized_number', 'number of the finalized L2 block', chain.head('finalized').header.number],
    ['hemid_finality_conflict', '1 while two super-final branches keep finality from moving, else 0', chain.conflict() === undefined ? 0 : 1],
    ['hemid_l2_head_timestamp_seconds', 'time of the latest L2 block', chain.head('latest').header.timestamp],
    ['hemid_bitcoin_height', "height of the node's best Bitcoin header", headers.best().height],
    ['hemid_pool_pending', 'executable transactions in the pool', counts?.pending ?? 0],
    ['hemid_pool_queued', 'transactions that wait for an earlier nonce', counts?.queued ?? 0],
    ['hemid_rpc_long_reads', 'calls that worker threads work on or that wait for one', reads.calls],
    ['hemid_rpc_long_reads_answered', 'calls that worker threads answered, with an error or without', reads.answered],
    ['hemid_rpc_workers_lost', 'worker threads that crashed, or were ended because they went on for nobody', reads.lost],
    ['hemid_event_loop_delay_p99_seconds', 'delay of the event loop since the metrics were asked for last, 99th percentile', takeEventLoopDelay()],
    ['process_resident_memory_bytes', 'resident memory', process.memoryUsage.rss()],
  ];
  const lines = gauges.map(([name, help, value]) => `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name} ${value}\n`);
  const events = Object.entries(bitcoinSync.counters()).map(([event, count]) => `hemid_bitcoin_events_total{event="${event}"} ${count}\n`);
  const about = '# HELP hemid_bitcoin_events_total what happened with the Bitcoin nodes\n# TYPE hemid_bitcoin_events_total counter\n';
  return [...lines, about, ...events].join('');
}
