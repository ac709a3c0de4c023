import { toBitcoinTransaction } from '@hemid/bitcoin';
import { type BitcoinTransaction, equal, fromDisplay, fromHex, toDigits, toDisplay } from '@hemid/protocol';
import type { Logger } from '@hemid/runtime';
import { Transaction } from 'bitcoinjs-lib';
import { z } from 'zod';
import { type Coin, outpointKey } from '../coin.ts';
import { fail } from '../errors.ts';
import { TARGET_BLOCKS, toFeeRate } from '../fee.ts';
import { type MempoolTransaction, type Outlook, toOutlook } from '../outlook.ts';
import type { PopWallet } from '../pop-wallet.ts';
import type { FeeMarket, MinerBitcoin } from '../ports.ts';
import { createBlockWindow } from './block-window.ts';
import { createEsploraHttp } from './esplora-http.ts';
import { checkGenesis } from './genesis.ts';

export interface EsploraOptions {
  wallet: PopWallet;
  log: Logger;
  /** How long one answer may take. */
  timeoutMs: number;
}

/** The best block of a source. */
export interface BitcoinHead {
  height: number;
  /** Display order. */
  hash: string;
  /** Its own timestamp; seconds since the Unix epoch. */
  time: number;
}

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const sats = z.number().int().min(0).transform(BigInt);
const status = z.object({ confirmed: z.boolean(), block_height: z.number().int().nullish() });
const utxoList = z.array(z.object({ txid: hash, vout: z.number().int().min(0), value: sats, status }));
const transactionList = z.array(z.object({ txid: hash }));
const transactionFacts = z.object({
  status,
  fee: sats,
  vin: z.array(z.object({ is_coinbase: z.boolean() })),
  vout: z.array(z.object({ value: sats })),
});
const feeEstimates = z.record(z.string(), z.number().positive());
const blockFacts = z.object({ height: z.number().int(), timestamp: z.number().int() });

/** How often the chain may move on while it is being read. */
const MAX_ATTEMPTS = 5;
/** Bitcoin Core's default relay fees: Esplora does not tell those of its node. */
const RELAY_RATE = 1000n;

/**
 * A {@link MinerBitcoin} over an Esplora HTTP API (blockstream.info, or one's own electrs). Publications, of others too,
 * are found by reading the raw blocks in which they may count, once each: about 150 at the first look.
 *
 * @throws `pop-miner/bitcoin-unfit` for a URL that is none.
 */
export function createEsploraBitcoin(
  url: string,
  { wallet, log, timeoutMs }: EsploraOptions,
): MinerBitcoin & { head(signal?: AbortSignal): Promise<BitcoinHead> } {
  const http = createEsploraHttp(url, { timeoutMs });
  const window = createBlockWindow({ wallet, readBlock: (name, signal) => http.bytes(`/block/${toDisplay(name)}/raw`, signal), readFee });
  /** Transactions of the mempool that concern the wallet, by txid. */
  let seen = new Map<string, MempoolTransaction>();
  let isFirst = true;

  function getFacts(txid: string, signal?: AbortSignal): Promise<z.output<typeof transactionFacts>> {
    return getJson(`/tx/${txid}`, transactionFacts, signal);
  }

  async function getJson<T>(path: string, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T> {
    const found = await http.json(path, schema, signal);
    if (found === undefined) throw fail('pop-miner/chain-moves', `the Esplora server has no ${path} (any more)`);
    return found;
  }

  async function getText(path: string, signal?: AbortSignal): Promise<string> {
    const found = await http.text(path, signal);
    if (found === undefined) throw fail('pop-miner/bitcoin-answer', `the server at the URL of Bitcoin has no ${path}: is it an Esplora API?`);
    return found;
  }

  async function readFee(txid: Uint8Array, signal?: AbortSignal): Promise<bigint> {
    return (await getFacts(toDisplay(txid), signal)).fee;
  }

  async function readTip(signal?: AbortSignal): Promise<{ name: string; height: number }> {
    const name = hash.safeParse(await getText('/blocks/tip/hash', signal));
    if (!name.success) throw fail('pop-miner/bitcoin-answer', 'the server at the URL of Bitcoin gives no block hash: is it an Esplora API?');
    const { height } = await getJson(`/block/${name.data}`, blockFacts, signal);
    return { name: name.data, height };
  }

  /** Confirmed outputs that nothing spends, in a block or in the mempool. */
  async function readFree(signal?: AbortSignal): Promise<Coin[]> {
    const coins: Coin[] = [];
    for (const { txid, vout, value, status: at } of await getJson(`/address/${wallet.address}/utxo`, utxoList, signal)) {
      if (!at.confirmed) continue;
      coins.push({ ...(await describe(txid, signal)), txid: fromDisplay(txid), vout, valueSats: value });
    }
    return coins;
  }

  /** What a transaction makes of its outputs, once it is in a block. */
  async function describe(txid: string, signal?: AbortSignal): Promise<Pick<Coin, 'isCoinbase' | 'height' | 'unconfirmed'>> {
    const { status: at, vin } = await getFacts(txid, signal);
    return { isCoinbase: vin[0]?.is_coinbase ?? false, height: at.block_height ?? undefined, unconfirmed: 0 };
  }

  async function readMempool(tipHeight: number, signal?: AbortSignal): Promise<MempoolTransaction[]> {
    const now = new Map<string, MempoolTransaction>();
    for (const { txid } of await getJson(`/address/${wallet.address}/txs/mempool`, transactionList, signal)) {
      const known = seen.get(txid) ?? (await meet(txid, tipHeight, signal));
      if (known !== undefined) now.set(txid, known);
    }
    seen = now;
    return [...now.values()];
  }

  async function meet(txid: string, tipHeight: number, signal?: AbortSignal): Promise<MempoolTransaction | undefined> {
    const hex = await http.text(`/tx/${txid}/hex`, signal);
    return hex === undefined ? undefined : { transaction: toBitcoinTransaction(Transaction.fromBuffer(fromHex(hex))), sinceHeight: tipHeight };
  }

  /** Confirmed outputs of the wallet that transactions of the mempool spend: the list of unspent ones leaves them out. */
  async function readSpent(mempool: readonly BitcoinTransaction[], signal?: AbortSignal): Promise<Coin[]> {
    const waiting = new Set(mempool.map(({ txid }) => toDisplay(txid)));
    const coins: Coin[] = [];
    for (const { txid, vout } of mempool.filter((transaction) => showsKey(transaction, wallet)).flatMap(({ inputs }) => inputs)) {
      const name = toDisplay(txid);
      if (waiting.has(name)) continue;
      const valueSats = (await getFacts(name, signal)).vout[vout]?.value;
      if (valueSats !== undefined) coins.push({ ...(await describe(name, signal)), txid, vout, valueSats });
    }
    return coins;
  }

  async function readOutlook(tip: { name: string; height: number }, signal?: AbortSignal): Promise<Outlook> {
    const free = await readFree(signal);
    const mempool = await readMempool(tip.height, signal);
    const spent = await readSpent(
      mempool.map(({ transaction }) => transaction),
      signal,
    );
    const blocks = await window.endingAt({ hash: fromDisplay(tip.name), height: tip.height }, signal);
    return toOutlook({
      wallet,
      tipHeight: tip.height,
      heights: new Map(blocks.map((block) => [toDisplay(block.hash), block.height])),
      confirmed: blocks.flatMap(({ sightings }) => sightings),
      spendings: blocks.flatMap(({ spendings }) => spendings),
      coins: new Map([...free, ...spent].map((coin) => [outpointKey(coin.txid, coin.vout), coin])),
      mempool,
    });
  }

  return {
    name: 'esplora',
    async checkNetwork(network, signal) {
      checkGenesis(await getText('/block-height/0', signal), network);
    },
    async look(_, signal) {
      if (isFirst) log.info('reading the last blocks of bitcoin for publications');
      isFirst = false;
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
        const tip = await readTip(signal);
        const outlook = await readOutlook(tip, signal);
        // A transaction that is mined between two of the questions would be in no answer.
        if ((await readTip(signal)).name === tip.name) return outlook;
      }
      throw fail('pop-miner/chain-moves', 'the Bitcoin chain moves faster than it can be read');
    },
    async feeMarket(signal): Promise<FeeMarket> {
      const rate = (await getJson('/fee-estimates', feeEstimates, signal))[TARGET_BLOCKS];
      return { estimate: rate === undefined ? undefined : toFeeRate(rate), minimum: RELAY_RATE, incremental: RELAY_RATE };
    },
    async broadcast(raw, signal) {
      await http.post('/tx', toDigits(raw), signal);
    },
    async head(signal) {
      const name = await getText('/blocks/tip/hash', signal);
      const { height, timestamp } = await getJson(`/block/${name}`, blockFacts, signal);
      return { height, hash: name, time: timestamp };
    },
  };
}

/** Whether an input shows the wallet's key: which coins it spends is then worth asking. */
function showsKey({ inputs }: BitcoinTransaction, { publicKey }: PopWallet): boolean {
  return inputs.some(
    ({ scriptSig, witness }) => equal(scriptSig.subarray(-publicKey.length), publicKey) || witness.some((item) => equal(item, publicKey)),
  );
}
