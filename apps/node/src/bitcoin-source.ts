import { type BitcoinRpc, type BitcoinSource, createBitcoindRpc, createFailoverSource, createRpcSource, loadUnspentSet } from '@hemid/bitcoin';
import { type ChainSpec, isHemidError } from '@hemid/protocol';
import type { Clock, Logger } from '@hemid/runtime';
import type { Store } from '@hemid/store';
import type { NodeConfig } from './config.ts';

const RPC_TIMEOUT_MS = 30_000;

/** The Bitcoin nodes of a configuration: as one source of blocks, and as one to ask for the mempool. */
export interface BitcoinNodes {
  source: BitcoinSource;
  /** The first of them that answers. */
  rpc: BitcoinRpc;
}

/** Asks one node after the other until one answers; a refusal is an answer. */
function firstOf(rpcs: readonly BitcoinRpc[]): BitcoinRpc {
  return async (method, params, signal) => {
    let failure: unknown;
    for (const rpc of rpcs) {
      try {
        return await rpc(method, params, signal);
      } catch (error) {
        if (isHemidError(error, 'bitcoin/rpc')) throw error;
        failure ??= error;
      }
    }
    throw failure;
  };
}

/** Opens the Bitcoin nodes of a configuration. */
export function openBitcoinNodes(config: NodeConfig, deps: { clock: Clock; log: Logger }): BitcoinNodes {
  const { bitcoindCookie: cookieFile } = config;
  const nodes = config.bitcoind.map((url) => {
    const { host, username } = new URL(url);
    const login = cookieFile === undefined || username !== '' ? {} : { cookieFile };
    return { name: host, rpc: createBitcoindRpc({ url, timeoutMs: RPC_TIMEOUT_MS, ...login }) };
  });
  const sources = nodes.map(({ name, rpc }) => ({ name, source: createRpcSource(rpc) }));
  const limits = { stallMs: config.bitcoinStallSeconds * 1000, retryMs: config.bitcoinRetrySeconds * 1000 };
  return { source: createFailoverSource(sources, deps, limits), rpc: firstOf(nodes.map(({ rpc }) => rpc)) };
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
