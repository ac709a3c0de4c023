import { createPopMiner, createPopWallet, createRpcKeystoneSource } from '@hemid/pop-miner';
import { toHex } from '@hemid/protocol';
import { createServiceGroup, type Logger, type Secret, type ServiceGroup, systemClock } from '@hemid/runtime';
import { connectBitcoin } from './bitcoin.ts';
import { httpAddressOf, type PopmdConfig, policyOf } from './config.ts';
import type { DaemonStatus } from './daemon-status.ts';
import { createHeadWatch } from './head-watch.ts';
import { readHealth } from './health.ts';
import { createHttpServer, type HttpRoutes, toJsonAnswer } from './http-server.ts';
import { createL2HeadReader } from './l2-head.ts';
import { renderMetrics } from './metrics.ts';

export interface PopmdDeps {
  secret: Secret<Uint8Array>;
  log: Logger;
  onFailure: (error: unknown) => void;
}

const CALL_TIMEOUT_MS = 30_000;

/** Builds the process: a miner between Bitcoin and an L2 node, and what watches it. */
export function createPopmd(config: PopmdConfig, { secret, log, onFailure }: PopmdDeps): ServiceGroup {
  const { bitcoinNetwork: network, addressType: kind, opgethUrl, pollMs } = config;
  const clock = systemClock;
  const wallet = createPopWallet(secret, { network, kind });
  const { bitcoin, readHead } = connectBitcoin(config, wallet, log);
  const keystones = createRpcKeystoneSource(opgethUrl, { timeoutMs: CALL_TIMEOUT_MS });
  const miner = createPopMiner({ bitcoin, keystones, wallet, clock, log, onFailure }, { network, ...policyOf(config), pollMs });
  log.info({ address: wallet.address, network, source: bitcoin.name }, 'pop miner starting');

  const address = httpAddressOf(config);
  if (address === undefined) return createServiceGroup([miner], log);
  const heads = createHeadWatch({ readBitcoin: readHead, readL2: createL2HeadReader(opgethUrl, { timeoutMs: CALL_TIMEOUT_MS }), clock, onFailure });
  const health = () => readHealth(heads, clock.now());
  const status = (): DaemonStatus => ({ network, source: bitcoin.name, rewarded: toHex(wallet.miner), health: health(), miner: miner.status() });
  const routes: HttpRoutes = {
    '/metrics': () => ({ code: 200, type: 'text/plain; version=0.0.4', body: renderMetrics(miner.status(), heads) }),
    '/health': () => toJsonAnswer(health(), health().healthy ? 200 : 503),
    '/status': () => toJsonAnswer(status()),
  };
  return createServiceGroup([heads, createHttpServer(routes, { address, log }), miner], log);
}
