import { type BitcoinBlock, parseBlock } from '@hemid/bitcoin';
import { equal, toDisplay } from '@hemid/protocol';
import { fail } from '../errors.ts';
import { isMinersWork, type Spending, vsizeOf } from '../outlook.ts';
import type { PopWallet } from '../pop-wallet.ts';
import { KEYSTONE_WINDOW, type Sighting, sightingsIn } from '../sighting.ts';

/** A recent block, as much of it as the miner needs. */
export interface WindowBlock {
  /** Internal order. */
  hash: Uint8Array;
  /** Internal order. */
  parent: Uint8Array;
  height: number;
  sightings: readonly Sighting[];
  spendings: readonly Spending[];
}

export interface BlockWindowDeps {
  /** A raw block by its hash, internal order; `undefined` when it is not there (any more). */
  readBlock: (hash: Uint8Array, signal?: AbortSignal) => Promise<Uint8Array | undefined>;
  /** What a transaction paid, where the source can say. */
  readFee: (txid: Uint8Array, signal?: AbortSignal) => Promise<bigint | undefined>;
  wallet: PopWallet;
}

/** The blocks in which a publication may matter. */
export interface BlockWindow {
  /**
   * The blocks that end in `tip`, lowest first. A block is read once, so the first call takes long, and after a failure
   * the next one goes on where it was.
   */
  endingAt(tip: { hash: Uint8Array; height: number }, signal?: AbortSignal): Promise<WindowBlock[]>;
}

/** More than a publication counts for: some may be orphaned. */
const KEPT_BLOCKS = KEYSTONE_WINDOW + 6;

/** Creates a window that has read nothing yet. */
export function createBlockWindow({ readBlock, readFee, wallet }: BlockWindowDeps): BlockWindow {
  let known = new Map<string, WindowBlock>();

  async function read(hash: Uint8Array, height: number, signal?: AbortSignal): Promise<WindowBlock> {
    const raw = await readBlock(hash, signal);
    if (raw === undefined) throw fail('pop-miner/chain-moves', `the Bitcoin source cannot give block ${toDisplay(hash)} now`);
    const block = parseBlock(raw);
    if (!equal(block.hash, hash)) throw fail('pop-miner/bitcoin-answer', `asked for block ${toDisplay(hash)}, the Bitcoin source gave another one`);
    const sightings = block.transactions.flatMap((transaction) => sightingsIn(transaction, height));
    return { hash, parent: block.header.slice(4, 36), height, sightings, spendings: await spendingsIn(block, height, signal) };
  }

  async function spendingsIn({ transactions }: BitcoinBlock, height: number, signal?: AbortSignal): Promise<Spending[]> {
    const spendings: Spending[] = [];
    for (const transaction of transactions.filter((candidate) => isMinersWork(candidate, wallet))) {
      const feeSats = await readFee(transaction.txid, signal);
      spendings.push({ txid: transaction.txid, height, feeSats, vsize: vsizeOf(transaction) });
    }
    return spendings;
  }

  return {
    async endingAt(tip, signal) {
      const found: WindowBlock[] = [];
      let { hash } = tip;
      for (let { height } = tip; height >= 0 && found.length < KEPT_BLOCKS; height -= 1) {
        const name = toDisplay(hash);
        const block = known.get(name) ?? (await read(hash, height, signal));
        known.set(name, block);
        found.push(block);
        hash = block.parent;
      }
      known = new Map(found.map((block) => [toDisplay(block.hash), block]));
      return found.reverse();
    },
  };
}
