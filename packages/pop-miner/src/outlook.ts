import type { BitcoinSource } from '@hemid/bitcoin';
import { equal, toDisplay } from '@hemid/protocol';
import type { ChainWatch } from './chain-watch.ts';
import { type Coin, coinsOf } from './coin.ts';
import { fail } from './errors.ts';
import type { MempoolWatch } from './mempool-watch.ts';
import { sortMempool } from './own-mempool.ts';
import type { PopWallet } from './pop-wallet.ts';
import { type Sighting, sightingsIn } from './sighting.ts';

/** All that the miner decides on: Bitcoin at one moment. Nothing of it is remembered from earlier ones. */
export interface Outlook {
  tipHeight: number;
  /** Heights of the recent blocks of the best chain, by hash in display order. */
  heights: ReadonlyMap<string, number>;
  /** Payable publications of anybody in the recent blocks, lowest first. */
  confirmed: readonly Sighting[];
  /** Publications in the mempool, in transactions that spend the miner's coins. */
  pending: readonly Sighting[];
  /** The miner's outputs that nothing spends, in a block or in the mempool. */
  coins: readonly Coin[];
}

export interface OutlookDeps {
  source: BitcoinSource;
  chain: ChainWatch;
  mempool: MempoolWatch;
  wallet: PopWallet;
}

/** How often the chain may move on while it is being read. */
const MAX_ATTEMPTS = 5;

/**
 * Reads chain and mempool as they are at one block: a transaction that is mined between two looks would be in neither.
 *
 * @throws `pop-miner/chain-moves` (retry) when blocks come faster than that.
 */
export async function readOutlook(deps: OutlookDeps, signal?: AbortSignal): Promise<Outlook> {
  const { source, chain } = deps;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    await chain.follow(signal);
    const outlook = await readAtTip(deps, signal);
    const tip = chain.blocks().at(-1);
    if (tip !== undefined && equal((await source.best(signal)).hash, tip.hash)) return outlook;
  }
  throw fail('pop-miner/chain-moves', 'the Bitcoin chain moves faster than it can be read');
}

async function readAtTip({ chain, mempool, wallet }: OutlookDeps, signal?: AbortSignal): Promise<Outlook> {
  const coins = chain.coins();
  const { own, trusted, spent } = sortMempool(await mempool.look(signal), { coins, pays: (script) => equal(script, wallet.script) });
  const open = [...coins].filter(([key]) => !spent.has(key)).map(([, coin]) => coin);
  for (const transaction of trusted) {
    const id = toDisplay(transaction.txid);
    const change = coinsOf(transaction, { script: wallet.script, height: undefined, unconfirmed: 0 }).filter(
      ({ vout }) => !spent.has(`${id}:${vout}`),
    );
    const unconfirmed = change.length === 0 ? undefined : await mempool.readAncestors(id, signal);
    if (unconfirmed !== undefined) open.push(...change.map((coin) => ({ ...coin, unconfirmed })));
  }
  const blocks = chain.blocks();
  return {
    tipHeight: blocks.at(-1)?.height ?? 0,
    heights: new Map(blocks.map(({ hash, height }) => [toDisplay(hash), height])),
    confirmed: blocks.flatMap(({ sightings }) => sightings),
    pending: own.flatMap((transaction) => sightingsIn(transaction, undefined)),
    coins: open,
  };
}
