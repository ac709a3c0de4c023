import type { ChainReader, ChainView } from '@hemid/chain';
import type { Clock, Logger, Random } from '@hemid/runtime';
import { type BlockTexts, createBlockTexts } from './block-text.ts';
import { type CallMetrics, createCallMetrics } from './call-metrics.ts';
import { createDeadlines, type Deadlines } from './deadline.ts';
import { createFeed, type Feed } from './feed.ts';
import { createFilters, type Filters } from './filters.ts';
import { createLimits, type ReadLimits, type RpcLimits } from './limits.ts';
import { createLogSearches, type LogSearches } from './log-search.ts';
import type {
  BitcoinBlocks,
  FinalityReader,
  LongReads,
  NodeStatus,
  PayoutReader,
  ProvenanceReader,
  RuleReader,
  TransactionPool,
  TunnelReader,
} from './ports.ts';
import { isServed, type Opened } from './served.ts';
import type { Session } from './session.ts';
import { createTransactionDecoder, type TransactionDecoder } from './transaction-decoder.ts';

/** What the node gives to its RPC. */
export interface RpcDeps extends Opened {
  chain: ChainReader;
  pool: TransactionPool;
  bitcoin: BitcoinBlocks;
  finality: FinalityReader;
  payouts: PayoutReader;
  provenance: ProvenanceReader;
  tunnel: TunnelReader;
  status: NodeStatus;
  rules: RuleReader;
  /** Where long reads are carried out; on the main thread when left out. */
  longReads?: LongReads | undefined;
  clock: Clock;
  random: Random;
  log: Logger;
}

/** What a long read works with, in whatever thread. */
export interface ReadContext {
  chain: ChainView;
  rules: RuleReader;
  decode: TransactionDecoder;
  texts: BlockTexts;
  searches: LogSearches;
  limits: ReadLimits;
  /** Whether nobody waits for the answer any more: what takes long asks now and then. */
  isOver(): boolean;
}

/** What a method works with. */
export interface RpcContext extends RpcDeps, ReadContext {
  chain: ChainReader;
  feed: Feed;
  filters: Filters;
  limits: RpcLimits;
  calls: CallMetrics;
  /** Whether the client may make another call now. */
  mayCall(): boolean;
  deadlines: Deadlines;
  /** Where subscriptions go; only a websocket has one. */
  session: Session | undefined;
}

/** Opens the context that all transports share; `close` it at the end. */
export function createRpcContext(deps: RpcDeps, limits: RpcLimits = createLimits()): RpcContext & { close(): void } {
  const feed = createFeed(deps);
  const { chain, pool, bitcoin, finality, payouts, provenance, tunnel, status, rules, longReads, clock, random, log, development, admin } = deps;
  const decode = createTransactionDecoder(chain);
  // Field by field: each request has a copy, and copying what was put together by spreading takes some microseconds.
  return {
    chain,
    pool,
    bitcoin,
    finality,
    payouts,
    provenance,
    tunnel,
    status,
    rules,
    longReads,
    clock,
    random,
    log,
    development,
    admin,
    feed,
    filters: createFilters({ ...deps, feed }),
    decode,
    texts: createBlockTexts({ chain, rules, decode }),
    searches: createLogSearches(),
    limits: { ...limits, allows: (method) => isServed(method, deps) && limits.allows(method) },
    calls: createCallMetrics(),
    mayCall: () => true,
    deadlines: createDeadlines(clock),
    isOver: () => false,
    session: undefined,
    close: feed.close,
  };
}
