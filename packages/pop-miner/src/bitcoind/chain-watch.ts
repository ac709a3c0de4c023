import { type BitcoinBlock, type BitcoinRpc, type BitcoinSource, parseBlock } from '@hemid/bitcoin';
import { equal, toDisplay } from '@hemid/protocol';
import type { Logger } from '@hemid/runtime';
import { applyToCoins, type Coin, type CoinSet, type CoinUndo, revertFromCoins } from '../coin.ts';
import { fail } from '../errors.ts';
import type { Spending } from '../outlook.ts';
import type { PopWallet } from '../pop-wallet.ts';
import { KEYSTONE_WINDOW, type Sighting, sightingsIn } from '../sighting.ts';
import { scanCoins } from './coin-scan.ts';
import { readMinedFee, toSpending, valuesIn, type Work, worksIn } from './spending-watch.ts';

/** A block of the best chain, as much of it as the miner needs. */
export interface WatchedBlock {
  /** Internal order. */
  hash: Uint8Array;
  height: number;
  sightings: Sighting[];
  /** What the miner itself sent. */
  spendings: Spending[];
  /** `undefined` for blocks that the scan of the unspent outputs had in it already. */
  undo: CoinUndo | undefined;
}

/** The end of the Bitcoin node's best chain and the miner's coins at its tip. */
export interface ChainWatch {
  /**
   * Moves to the node's best block, over reorgs too; when the chain runs away meanwhile it stops on the way, at a
   * block boundary.
   *
   * @throws `retry` errors of the Bitcoin node, and `pop-miner/chain-moves`.
   */
  follow(signal?: AbortSignal): Promise<void>;
  /** Blocks up to the tip, lowest first; empty before the first {@link follow}. */
  blocks(): readonly WatchedBlock[];
  /** The miner's outputs that no block up to the tip has spent, by `outpointKey`. */
  coins(): ReadonlyMap<string, Coin>;
}

export interface ChainWatchDeps {
  rpc: BitcoinRpc;
  source: BitcoinSource;
  wallet: PopWallet;
  log: Logger;
}

/** Blocks kept: those in which a publication may still matter, and some more, for reorgs. */
const KEPT_BLOCKS = KEYSTONE_WINDOW + 56;

/** Watches the chain for outputs of the wallet and for publications. Nothing is on disk: a new watch finds it all again. */
export function createChainWatch({ rpc, source, wallet, log }: ChainWatchDeps): ChainWatch {
  let coins: CoinSet = new Map();
  let blocks: WatchedBlock[] = [];

  async function getBlock(hash: Uint8Array, signal?: AbortSignal): Promise<BitcoinBlock> {
    const raw = await source.block(hash, signal);
    if (raw === undefined) throw fail('pop-miner/chain-moves', `the Bitcoin node cannot give block ${toDisplay(hash)} now`);
    return parseBlock(raw);
  }

  async function scan(signal?: AbortSignal): Promise<void> {
    log.info('scanning bitcoin for coins and publications');
    const found = await scanCoins(rpc, wallet.script, signal);
    const below: Omit<WatchedBlock, 'spendings'>[] = [];
    const works: Work[] = [];
    const values = new Map<string, bigint>();
    let { hash } = found.tip;
    for (let height = found.tip.height; height >= 0 && below.length < KEPT_BLOCKS; height -= 1) {
      const block = await getBlock(hash, signal);
      below.push({ hash, height, sightings: sightingsOf(block, height), undo: undefined });
      works.push(...worksIn(block, { height, wallet }));
      for (const [key, valueSats] of valuesIn(block, wallet)) values.set(key, valueSats);
      hash = block.header.slice(4, 36);
    }
    const spendings = works.map((work) => toSpending(work, (outpoint) => values.get(outpoint)));
    const watched: WatchedBlock[] = [];
    for (const block of below.reverse()) {
      const own = spendings.filter(({ height }) => height === block.height);
      watched.push({ ...block, spendings: await complete(own, block.hash, signal) });
    }
    coins = found.coins;
    blocks = watched;
  }

  /** Asks for the fees of those transactions whose inputs are older than the blocks that were read. */
  function complete(spendings: readonly Spending[], blockHash: Uint8Array, signal?: AbortSignal): Promise<Spending[]> {
    return Promise.all(
      spendings.map(async (spending) => ({
        ...spending,
        feeSats: spending.feeSats ?? (await readMinedFee(rpc, { txid: spending.txid, blockHash }, signal)),
      })),
    );
  }

  /** Takes back what is not on the best chain any more. @returns whether that was possible. */
  async function unwind(bestHeight: number, signal?: AbortSignal): Promise<boolean> {
    for (let tip = blocks.at(-1); tip !== undefined; tip = blocks.at(-1)) {
      const hash = tip.height > bestHeight ? undefined : await source.hashAt(tip.height, signal);
      if (hash !== undefined && equal(hash, tip.hash)) return isLongEnough();
      if (tip.undo === undefined) return false;
      revertFromCoins(coins, tip.undo);
      blocks.pop();
    }
    return false;
  }

  /** Whether every block is here in which a publication may matter, as far down as there are blocks. */
  function isLongEnough(): boolean {
    const [lowest] = blocks;
    const tip = blocks.at(-1);
    return lowest !== undefined && tip !== undefined && (lowest.height === 0 || tip.height - lowest.height >= KEYSTONE_WINDOW);
  }

  function apply(block: BitcoinBlock, height: number): void {
    const values = new Map([...[...coins].map(([key, coin]): [string, bigint] => [key, coin.valueSats]), ...valuesIn(block, wallet)]);
    const spendings = worksIn(block, { height, wallet }).map((work) => toSpending(work, (outpoint) => values.get(outpoint)));
    const undo = applyToCoins(coins, block.transactions, { script: wallet.script, height });
    blocks.push({ hash: block.hash, height, sightings: sightingsOf(block, height), spendings, undo });
    if (blocks.length > KEPT_BLOCKS) blocks.shift();
  }

  async function follow(signal?: AbortSignal): Promise<void> {
    if (blocks.length === 0) await scan(signal);
    const best = await source.best(signal);
    if (!(await unwind(best.height, signal))) return scan(signal);
    for (let tip = blocks.at(-1); tip !== undefined && tip.height < best.height; tip = blocks.at(-1)) {
      const hash = await source.hashAt(tip.height + 1, signal);
      if (hash === undefined) return;
      const block = await getBlock(hash, signal);
      if (!equal(block.header.subarray(4, 36), tip.hash)) return;
      apply(block, tip.height + 1);
    }
  }

  return { follow, blocks: () => blocks, coins: () => coins };
}

function sightingsOf({ transactions }: BitcoinBlock, height: number): Sighting[] {
  return transactions.flatMap((transaction) => sightingsIn(transaction, height));
}
