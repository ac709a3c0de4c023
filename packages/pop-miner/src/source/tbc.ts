import { decodeBitcoinHeader, equal, fromDisplay, fromHex, hashBitcoinHeader, toDigits, toDisplay } from '@hemid/protocol';
import { z } from 'zod';
import { type Coin, outpointKey } from '../coin.ts';
import { fail } from '../errors.ts';
import { TARGET_BLOCKS, toFeeRate } from '../fee.ts';
import { type Outlook, type Spending, toOutlook, vsizeOf } from '../outlook.ts';
import type { PopWallet } from '../pop-wallet.ts';
import type { MinerBitcoin } from '../ports.ts';
import { type Sighting, sightingsIn } from '../sighting.ts';
import type { BitcoinHead } from './bitcoin-head.ts';
import { checkGenesis } from './genesis.ts';
import { createHeaderWindow, type PlacedHeader } from './header-window.ts';
import { createSentTransactions, type SentTransaction } from './sent-transactions.ts';
import { createTbcPublications } from './tbc-publications.ts';
import { createTbcSocket, wordsOf } from './tbc-socket.ts';

export interface TbcDeps {
  wallet: PopWallet;
  /** How long a connection or an answer may take. */
  timeoutMs: number;
}

const hex = z
  .string()
  .regex(/^([0-9a-fA-F]{2})*$/)
  .transform((text) => fromHex(text));
const bestHeader = z.object({ height: z.number().int(), block_header: hex });
const headerList = z.object({ block_headers: z.array(hex).nullable() });
const utxoPage = z.object({
  utxos: z
    .array(z.object({ tx_id: z.string().regex(/^[0-9a-f]{64}$/), value: z.number().int().min(0).transform(BigInt), out_index: z.number().int() }))
    .nullable(),
});
const feeList = z.object({ fee_estimate: z.array(z.object({ blocks: z.number(), sats_per_vbyte: z.number() })).nullable() });
const sentId = z.object({ tx_id: z.string() });

/** How often the chain may move on while it is being read. */
const MAX_ATTEMPTS = 5;
/** Outputs of one answer; TBC gives no more. */
const PAGE = 1000;
/** Bitcoin Core's default relay fees, 1 sat/vB: TBC does not tell those of its node. */
const RELAY_RATE = 1000n;

/**
 * A {@link MinerBitcoin} over a TBC node's websocket (protocol section 12), as the public miner uses it.
 *
 * TBC lists neither the mempool nor what was spent. So of pending and mined transactions this source knows those that
 * it sent itself since it was created; a new one may publish again what an earlier one left in the mempool.
 *
 * @throws `pop-miner/bitcoin-unfit` for a URL that is none.
 */
export function createTbcBitcoin(
  url: string,
  { wallet, timeoutMs }: TbcDeps,
): MinerBitcoin & { head(signal?: AbortSignal): Promise<BitcoinHead>; close(): void } {
  const socket = createTbcSocket(url, { timeoutMs });
  const headers = createHeaderWindow(readHeaders);
  const publications = createTbcPublications(socket);
  const sent = createSentTransactions();
  let tipHeight = 0;

  async function readHeaders(height: number, signal?: AbortSignal): Promise<Uint8Array[]> {
    try {
      const { block_headers: found } = await socket.call('block-headers-by-height-raw', { payload: { height }, schema: headerList }, signal);
      return found ?? [];
    } catch (error) {
      if (/not found/i.test(wordsOf(error) ?? '')) return [];
      throw error;
    }
  }

  async function readBest(signal?: AbortSignal): Promise<PlacedHeader> {
    const { height, block_header: header } = await socket.call('block-header-best-raw', { payload: {}, schema: bestHeader }, signal);
    return { height, header };
  }

  /** The wallet's outputs that no block has spent. */
  async function readUnspent(signal?: AbortSignal): Promise<Map<string, Coin>> {
    const coins: Coin[] = [];
    for (let start = 0; start === coins.length; start += PAGE) coins.push(...(await readPage({ start, isFree: false }, signal)));
    return byOutpoint(coins);
  }

  /** Those of so many that no transaction of the mempool spends: pages may come with gaps. */
  async function readFree(total: number, signal?: AbortSignal): Promise<Map<string, Coin>> {
    const coins: Coin[] = [];
    for (let start = 0; start < total; start += PAGE) coins.push(...(await readPage({ start, isFree: true }, signal)));
    return byOutpoint(coins);
  }

  async function readPage({ start, isFree }: { start: number; isFree: boolean }, signal?: AbortSignal): Promise<Coin[]> {
    const payload = { filter_mempool: isFree, address: wallet.address, start, count: PAGE };
    const { utxos } = await socket.call('utxos-by-address', { payload, schema: utxoPage }, signal);
    // Of what block a coin is TBC does not tell.
    const rest = { isCoinbase: false, height: tipHeight, unconfirmed: 0 };
    return (utxos ?? []).map(({ tx_id, value, out_index: vout }) => ({ txid: fromDisplay(tx_id), vout, valueSats: value, ...rest }));
  }

  async function isInChain(txid: Uint8Array, signal?: AbortSignal): Promise<boolean> {
    try {
      await socket.call('tx-by-id', { payload: { tx_id: toDisplay(txid) }, schema: z.object({}) }, signal);
      return true;
    } catch (error) {
      if (wordsOf(error) !== undefined) return false;
      throw error;
    }
  }

  async function readOutlook(best: PlacedHeader, keystoneIds: readonly string[], signal?: AbortSignal): Promise<Outlook> {
    const heights = await headers.endingAt(best, signal);
    const confirmed = await readUnspent(signal);
    const free = await readFree(confirmed.size, signal);
    await sent.follow({ tipHeight, confirmed, free: new Set(free.keys()) }, (txid) => isInChain(txid, signal));
    const waiting = sent.waiting();
    const mined = sent.mined();
    const own = mined.flatMap(({ transaction, minedHeight }) => sightingsIn(transaction, minedHeight));
    const seen = await publications.find([...new Set([...keystoneIds, ...own.map(({ keystoneId }) => keystoneId)])], signal);
    const spent = byOutpoint(waiting.flatMap(({ spends }) => spends));
    return toOutlook({
      wallet,
      tipHeight,
      heights,
      confirmed: merge(seen, own),
      spendings: mined.map((one) => toSpending(one, seen)),
      coins: new Map([...free, ...spent]),
      mempool: waiting,
    });
  }

  return {
    name: 'tbc',
    close: () => socket.close(),
    async head(signal) {
      const { height, header } = await readBest(signal);
      return { height, hash: toDisplay(hashBitcoinHeader(header)), time: decodeBitcoinHeader(header).time };
    },
    async checkNetwork(network, signal) {
      const [genesis] = await readHeaders(0, signal);
      // A node that begins later can only be told by the addresses that it takes.
      if (genesis !== undefined) checkGenesis(toDisplay(hashBitcoinHeader(genesis)), network);
    },
    async look(keystoneIds, signal) {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
        const best = await readBest(signal);
        tipHeight = best.height;
        const outlook = await readOutlook(best, keystoneIds, signal);
        if (toDigits((await readBest(signal)).header) === toDigits(best.header)) return outlook;
      }
      throw fail('pop-miner/chain-moves', 'the Bitcoin chain moves faster than it can be read');
    },
    async feeMarket(signal) {
      const { fee_estimate: all } = await socket.call('fee-estimate', { payload: {}, schema: feeList }, signal);
      const rate = all?.find(({ blocks }) => blocks === TARGET_BLOCKS)?.sats_per_vbyte;
      return { estimate: rate === undefined || rate <= 0 ? undefined : toFeeRate(rate), minimum: RELAY_RATE, incremental: RELAY_RATE };
    },
    async broadcast(raw, signal) {
      try {
        await socket.call('tx-broadcast-raw', { payload: { tx: toDigits(raw), force: false }, schema: sentId }, signal);
      } catch (error) {
        const words = wordsOf(error);
        throw words === undefined
          ? error
          : fail('pop-miner/refused', `the TBC node refused a transaction: ${words}`, { cause: error, details: { words } });
      }
      sent.add(raw, tipHeight);
    },
  };
}

function byOutpoint(coins: readonly Coin[]): Map<string, Coin> {
  return new Map(coins.map((coin) => [outpointKey(coin.txid, coin.vout), coin]));
}

/** The publications that TBC tells, and the own ones that it does not: it knows those next to the first alone. */
function merge(seen: readonly Sighting[], own: readonly Sighting[]): Sighting[] {
  const names = new Set(seen.map(({ txid, keystoneId }) => `${toDisplay(txid)} ${keystoneId}`));
  const rest = own.filter(({ txid, keystoneId }) => !names.has(`${toDisplay(txid)} ${keystoneId}`));
  return [...seen, ...rest].sort((a, b) => (a.height ?? 0) - (b.height ?? 0));
}

/** A mined transaction, at the height of its publication where TBC tells that. */
function toSpending({ transaction, feeSats, minedHeight = 0 }: SentTransaction, seen: readonly Sighting[]): Spending {
  const known = seen.find(({ txid }) => equal(txid, transaction.txid));
  return { txid: transaction.txid, height: known?.height ?? minedHeight, feeSats, vsize: vsizeOf(transaction) };
}
