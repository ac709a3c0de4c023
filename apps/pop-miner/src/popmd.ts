import { type BitcoinRpc, createBitcoindRpc } from '@hemid/bitcoin';
import { createMinerBitcoind, createPopMiner, createPopWallet, createRpcKeystoneSource, type FeeOptions, toFeeRate } from '@hemid/pop-miner';
import { createServiceGroup, type Logger, type ServiceGroup, systemClock } from '@hemid/runtime';
import type { PopmdConfig } from './config.ts';

const CALL_TIMEOUT_MS = 30_000;
/** A scan of mainnet's unspent outputs takes minutes. */
const SCAN_TIMEOUT_MS = 1_800_000;

/** Builds the process: a miner between a bitcoind and an L2 node, both known by RPC alone. */
export function createPopmd(config: PopmdConfig, { log, onFailure }: { log: Logger; onFailure: (error: unknown) => void }): ServiceGroup {
  const { bitcoinNetwork: network, addressType: kind, pollMs } = config;
  const wallet = createPopWallet(config.bitcoinSecret, { network, kind });
  const keystones = createRpcKeystoneSource(config.opgethUrl, { timeoutMs: CALL_TIMEOUT_MS });
  const miner = createPopMiner(
    { bitcoin: createMinerBitcoind({ rpc: createRpc(config), wallet, log }), keystones, wallet, clock: systemClock, log, onFailure },
    { network, fees: feesOf(config), pollMs },
  );
  log.info({ address: wallet.address, network }, 'pop miner starting');
  return createServiceGroup([miner], log);
}

function createRpc({ bitcoinUrl: url, bitcoinCookie }: PopmdConfig): BitcoinRpc {
  const access = { url, ...(bitcoinCookie === undefined ? {} : { cookieFile: bitcoinCookie }) };
  const rpc = createBitcoindRpc({ ...access, timeoutMs: CALL_TIMEOUT_MS });
  const patientRpc = createBitcoindRpc({ ...access, timeoutMs: SCAN_TIMEOUT_MS });
  return (method, params, signal) => (method === 'scantxoutset' ? patientRpc : rpc)(method, params, signal);
}

function feesOf({ staticFee, maxFee }: PopmdConfig): FeeOptions {
  return {
    ...(staticFee === 0 ? {} : { staticRate: toFeeRate(staticFee) }),
    ...(maxFee === 0 ? {} : { maxRate: toFeeRate(maxFee) }),
  };
}
