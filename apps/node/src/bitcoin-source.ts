import { type BitcoinSource, createBitcoindRpc, createFailoverSource, createRpcSource, loadUnspentSet } from '@hemid/bitcoin';
import type { ChainSpec } from '@hemid/protocol';
import type { Clock, Logger } from '@hemid/runtime';
import type { Store } from '@hemid/store';
import type { NodeConfig } from './config.ts';

const RPC_TIMEOUT_MS = 30_000;

/** The Bitcoin nodes of a configuration as one source. */
export function openBitcoinSource(config: NodeConfig, deps: { clock: Clock; log: Logger }): BitcoinSource {
  const { bitcoindCookie: cookieFile } = config;
  const sources = config.bitcoind.map((url) => {
    const { host, username } = new URL(url);
    const login = cookieFile === undefined || username !== '' ? {} : { cookieFile };
    return { name: host, source: createRpcSource(createBitcoindRpc({ url, timeoutMs: RPC_TIMEOUT_MS, ...login })) };
  });
  return createFailoverSource(sources, deps, { stallMs: config.bitcoinStallSeconds * 1000, retryMs: config.bitcoinRetrySeconds * 1000 });
}

/** Loads the unspent set that a chain spec names, if it names one, it is not here yet, and there is a file for it. */
export async function loadSpecUnspentSet(
  spec: ChainSpec,
  path: string | undefined,
  deps: { store: Store; clock: Clock; log: Logger },
): Promise<void> {
  const { network, unspent, genesisHeight: height, signetChallenge } = spec.genesis.bitcoin;
  if (unspent === 'none' || path === undefined) return;
  const { hashSerialized } = unspent;
  const genesis = { hash: spec.bitcoinGenesisHash, height };
  await loadUnspentSet(deps, { network, genesis, hashSerialized, ...(signetChallenge === undefined ? {} : { signetChallenge }) }, { path });
}
