import { type BitcoinRpc, type BitcoinSource, broadcast, createRpcSource, satsFromBtc } from '@hemid/bitcoin';
import { equal, type HemidError, isHemidError, toDisplay } from '@hemid/protocol';
import type { Logger } from '@hemid/runtime';
import { fail } from '../errors.ts';
import { TARGET_BLOCKS } from '../fee.ts';
import { type Outlook, toOutlook } from '../outlook.ts';
import type { PopWallet } from '../pop-wallet.ts';
import type { FeeMarket, MinerBitcoin } from '../ports.ts';
import { type ChainWatch, createChainWatch } from './chain-watch.ts';
import { createMempoolWatch, type MempoolWatch } from './mempool-watch.ts';

export interface BitcoindDeps {
  rpc: BitcoinRpc;
  wallet: PopWallet;
  log: Logger;
}

/** How often the chain may move on while it is being read. */
const MAX_ATTEMPTS = 5;

/** A {@link MinerBitcoin} over a bitcoind's JSON-RPC (Core or Knots, no wallet, no index needed), or the embedded regtest's. */
export function createMinerBitcoind({ rpc, wallet, log }: BitcoindDeps): MinerBitcoin {
  const source = createRpcSource(rpc);
  const chain = createChainWatch({ rpc, source, wallet, log });
  const mempool = createMempoolWatch({ rpc, wallet });
  return {
    name: 'bitcoind',
    checkNetwork: (network, signal) => source.checkNetwork(network, signal),
    look: (_, signal) => readOutlook({ source, chain, mempool, wallet }, signal),
    feeMarket: (signal) => readFeeMarket(rpc, signal),
    async broadcast(raw, signal) {
      await broadcast(rpc, raw, signal).catch((error: unknown) => {
        throw isHemidError(error, 'bitcoin/rpc') ? toRefusal(error) : error;
      });
    },
  };
}

interface Watches {
  source: BitcoinSource;
  chain: ChainWatch;
  mempool: MempoolWatch;
  wallet: PopWallet;
}

/** Reads chain and mempool as they are at one block: a transaction that is mined between two looks would be in neither. */
async function readOutlook({ source, chain, mempool, wallet }: Watches, signal?: AbortSignal): Promise<Outlook> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    await chain.follow(signal);
    const waiting = await mempool.look(signal);
    const blocks = chain.blocks();
    const tip = blocks.at(-1);
    if (tip === undefined || !equal((await source.best(signal)).hash, tip.hash)) continue;
    return toOutlook({
      wallet,
      tipHeight: tip.height,
      heights: new Map(blocks.map(({ hash, height }) => [toDisplay(hash), height])),
      confirmed: blocks.flatMap(({ sightings }) => sightings),
      spendings: blocks.flatMap(({ spendings }) => spendings),
      coins: chain.coins(),
      mempool: waiting,
    });
  }
  throw fail('pop-miner/chain-moves', 'the Bitcoin chain moves faster than it can be read');
}

async function readFeeMarket(rpc: BitcoinRpc, signal?: AbortSignal): Promise<FeeMarket> {
  const { feerate } = (await rpc('estimatesmartfee', [TARGET_BLOCKS], signal)) as { feerate?: number };
  const info = (await rpc('getmempoolinfo', [], signal)) as { mempoolminfee: number; incrementalrelayfee: number };
  return {
    estimate: feerate === undefined ? undefined : satsFromBtc(feerate),
    minimum: satsFromBtc(info.mempoolminfee),
    incremental: satsFromBtc(info.incrementalrelayfee),
  };
}

function toRefusal(cause: HemidError): HemidError {
  const { rpcCode, rpcMessage } = cause.details;
  return fail('pop-miner/refused', `the Bitcoin node refused a publication: ${String(rpcMessage)}`, { cause, details: { rpcCode, rpcMessage } });
}
