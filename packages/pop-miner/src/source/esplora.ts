import { fromDisplay, toDigits, toDisplay } from '@hemid/protocol';
import type { Logger } from '@hemid/runtime';
import { z } from 'zod';
import { outpointKey } from '../coin.ts';
import { fail } from '../errors.ts';
import { TARGET_BLOCKS, toFeeRate } from '../fee.ts';
import { type Outlook, toOutlook } from '../outlook.ts';
import type { PopWallet } from '../pop-wallet.ts';
import type { MinerBitcoin } from '../ports.ts';
import type { BitcoinHead } from './bitcoin-head.ts';
import { createBlockWindow } from './block-window.ts';
import { createEsploraHttp, hash, sats } from './esplora-http.ts';
import { createEsploraWallet } from './esplora-wallet.ts';
import { checkGenesis } from './genesis.ts';

export interface EsploraDeps {
  wallet: PopWallet;
  log: Logger;
  /** How long one answer may take. */
  timeoutMs: number;
}

const feeEstimates = z.record(z.string(), z.number().positive());
const blockFacts = z.object({ height: z.number().int(), timestamp: z.number().int() });
const fee = z.object({ fee: sats });

/** How often the chain may move on while it is being read. */
const MAX_ATTEMPTS = 5;
/** Bitcoin Core's default relay fees, 1 sat/vB: Esplora does not tell those of its node. */
const RELAY_RATE = 1000n;

/**
 * A {@link MinerBitcoin} over an Esplora HTTP API (blockstream.info, or one's own electrs). Publications, of others too,
 * are found by reading the raw blocks in which they may count, once each: 150 at the first look.
 *
 * @throws `pop-miner/bitcoin-unfit` for a URL that is none.
 */
export function createEsploraBitcoin(
  url: string,
  { wallet, log, timeoutMs }: EsploraDeps,
): MinerBitcoin & { head(signal?: AbortSignal): Promise<BitcoinHead> } {
  const http = createEsploraHttp(url, { timeoutMs });
  const own = createEsploraWallet(http, wallet);
  const window = createBlockWindow({
    wallet,
    readBlock: (name, signal) => http.bytes(`/block/${toDisplay(name)}/raw`, signal),
    readFee: async (txid, signal) => (await http.getJson(`/tx/${toDisplay(txid)}`, fee, signal)).fee,
  });
  let isFirst = true;
  let tipHeight = 0;

  async function head(signal?: AbortSignal): Promise<BitcoinHead> {
    const name = await http.getText('/blocks/tip/hash', hash, signal);
    const { height, timestamp } = await http.getJson(`/block/${name}`, blockFacts, signal);
    return { height, hash: name, time: timestamp };
  }

  async function readOutlook(tip: BitcoinHead, signal?: AbortSignal): Promise<Outlook> {
    const blocks = await window.endingAt({ hash: fromDisplay(tip.hash), height: tip.height }, signal);
    const { coins, mempool } = await own.read(tip.height, signal);
    return toOutlook({
      wallet,
      tipHeight: tip.height,
      heights: new Map(blocks.map((block) => [toDisplay(block.hash), block.height])),
      confirmed: blocks.flatMap(({ sightings }) => sightings),
      spendings: blocks.flatMap(({ spendings }) => spendings),
      coins: new Map(coins.map((coin) => [outpointKey(coin.txid, coin.vout), coin])),
      mempool,
    });
  }

  return {
    name: 'esplora',
    head,
    async checkNetwork(network, signal) {
      checkGenesis(await http.getText('/block-height/0', hash, signal), network);
    },
    async look(_, signal) {
      if (isFirst) log.info('reading the last blocks of bitcoin for publications');
      isFirst = false;
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
        const tip = await head(signal);
        tipHeight = tip.height;
        const outlook = await readOutlook(tip, signal);
        // A transaction that is mined between two of the questions would be in no answer.
        if ((await http.getText('/blocks/tip/hash', hash, signal)) === tip.hash) return outlook;
      }
      throw fail('pop-miner/chain-moves', 'the Bitcoin chain moves faster than it can be read');
    },
    async feeMarket(signal) {
      const rate = (await http.getJson('/fee-estimates', feeEstimates, signal))[TARGET_BLOCKS];
      return { estimate: rate === undefined ? undefined : toFeeRate(rate), minimum: RELAY_RATE, incremental: RELAY_RATE };
    },
    async broadcast(raw, signal) {
      await http.post('/tx', toDigits(raw), signal);
      own.add(raw, tipHeight);
    },
  };
}
