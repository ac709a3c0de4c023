import type { ChainReader } from '@hemid/chain';
import type { Clock, Logger, Random } from '@hemid/runtime';
import { createFeed, type Feed } from './feed.ts';
import { createFilters, type Filters } from './filters.ts';
import type { BitcoinBlocks, FinalityReader, NodeStatus, PayoutReader, TransactionPool, TunnelReader } from './ports.ts';
import type { Session } from './session.ts';
import { createTransactionDecoder, type TransactionDecoder } from './transaction-decoder.ts';

/** What the node gives to its RPC. */
export interface RpcDeps {
  chain: ChainReader;
  pool: TransactionPool;
  bitcoin: BitcoinBlocks;
  finality: FinalityReader;
  payouts: PayoutReader;
  tunnel: TunnelReader;
  status: NodeStatus;
  clock: Clock;
  random: Random;
  log: Logger;
}

/** What a method works with. */
export interface RpcContext extends RpcDeps {
  feed: Feed;
  filters: Filters;
  decode: TransactionDecoder;
  /** Where subscriptions go; only a websocket has one. */
  session: Session | undefined;
}

/** Opens the context that all transports share; `close` it at the end. */
export function createRpcContext(deps: RpcDeps): RpcContext & { close(): void } {
  const feed = createFeed(deps);
  return {
    ...deps,
    feed,
    filters: createFilters({ ...deps, feed }),
    decode: createTransactionDecoder(deps.chain),
    session: undefined,
    close: feed.close,
  };
}
