import { type BitcoinTip, type BitcoinView, equal, type Page, toDigits, type UnspentOutput } from '@hemid/protocol';
import { nextTurn } from '@hemid/runtime';
import { layout } from '@hemid/store';
import { type BlockDelta, bytesName, deltaOf, outpointName } from './block-delta.ts';
import { fail } from './errors.ts';
import { sliceTransactionAt } from './transaction-at.ts';
import { createBitcoinView, type ViewDeps } from './view.ts';

/** An unspent output at the tip. */
export interface TipOutput extends UnspentOutput {
  /** Whether the next block may spend it: a coinbase waits for 100 blocks. */
  isMature: boolean;
}

/**
 * Bitcoin's outputs and transactions at the node's own best block, which is above the index: that one stands where the
 * L2 head sees Bitcoin. What the index shows of their common chain is completed by the blocks above it.
 *
 * Its reads throw `bitcoin/view-unavailable` (retry) while the index is more than {@link MAX_ABOVE} blocks behind.
 */
export interface TipReader {
  tip(): BitcoinTip;
  /**
   * A page of the unspent outputs of a script. Places are counted over the outputs that the index has or the blocks
   * above it made: of those, what the blocks above spend is left out, so a page may be shorter than its limit.
   */
  unspent(script: Uint8Array, page: Page): Promise<TipOutput[]>;
  /** Sum of the unspent outputs of a script, in satoshis. */
  balance(script: Uint8Array): Promise<bigint>;
  /** A transaction of the chain up to the tip, serialised with witnesses, or `undefined`. */
  transaction(txid: Uint8Array): Promise<Uint8Array | undefined>;
}

export interface TipReaderDeps extends ViewDeps {
  /** The node's own best block whose body, and those of all blocks below it, are here. */
  tip(): BitcoinTip;
}

/** Blocks above the index that are read at most: each is held in memory, a few megabytes on mainnet. */
const MAX_ABOVE = 32;
const COINBASE_MATURITY = 100;

interface Moment {
  tip: BitcoinTip;
  /** Bitcoin up to the block on which those above stand. */
  view: BitcoinView;
  /** The blocks above the view's index tip, lowest first. */
  above: { hash: Uint8Array; height: number; delta: BlockDelta }[];
}

/** Creates the {@link TipReader} over the index and the bodies. */
export function createTipReader(deps: TipReaderDeps): TipReader {
  const { spec, store, headers, blocks, index } = deps;
  const { genesisHeight, indexLag } = spec.genesis.bitcoin;
  const deltas = new Map<string, BlockDelta>();

  /**
   * A view of the tip's chain that the index can show: as high as there is one.
   *
   * @throws `bitcoin/view-unavailable`
   */
  function viewBelow(tip: BitcoinTip): BitcoinView {
    const position = index.shared();
    assertNear(position, tip);
    const fork = headers.commonAncestor(position.hash, tip.hash);
    const lagging = Math.min(fork.height, tip.height - indexLag);
    const light = lagging > genesisHeight + indexLag ? lagging + indexLag : Math.min(fork.height, genesisHeight + indexLag);
    const view = createBitcoinView(deps, (headers.ancestor(tip.hash, light) ?? headers.genesis).hash);
    assertNear(view.indexTip, tip);
    return view;
  }

  function assertNear({ height }: BitcoinTip, tip: BitcoinTip): void {
    const missing = tip.height - height;
    if (missing <= MAX_ABOVE) return;
    throw fail('bitcoin/view-unavailable', `the Bitcoin index is ${missing} blocks below the best block (${tip.height}): the node is catching up`);
  }

  async function look(): Promise<Moment> {
    const tip = deps.tip();
    const view = viewBelow(tip);
    const above: Moment['above'] = [];
    for (let height = view.indexTip.height + 1; height <= tip.height; height += 1) {
      const { hash } = headers.ancestor(tip.hash, height) ?? tip;
      const name = toDigits(hash);
      if (!deltas.has(name)) {
        await nextTurn();
        const below = above.map(({ delta }) => delta);
        deltas.set(name, deltaOf(blocks.get(hash), { store, below }));
      }
      above.push({ hash, height, delta: deltas.get(name) as BlockDelta });
    }
    for (const name of deltas.keys()) if (!above.some(({ hash }) => toDigits(hash) === name)) deltas.delete(name);
    return { tip, view, above };
  }

  const matures = (height: number, tip: BitcoinTip): boolean => tip.height + 1 - height >= COINBASE_MATURITY;

  function fromIndex(output: UnspentOutput, tip: BitcoinTip): TipOutput {
    const place = store.get(layout.bitcoinTransaction, output.txid);
    return { ...output, isMature: place?.index !== 0 || matures(place.height, tip) };
  }

  /** Outputs of a script that the blocks above make, spent or not, newest block first. */
  function madeAbove({ tip, above }: Moment, script: Uint8Array): TipOutput[] {
    return [...above]
      .reverse()
      .flatMap(({ height, delta }) =>
        [...delta.made.values()]
          .filter((output) => equal(output.script, script))
          .map(({ txid, vout, valueSats, isCoinbase }) => ({ txid, vout, valueSats, isMature: !isCoinbase || matures(height, tip) })),
      );
  }

  return {
    tip: deps.tip,
    async unspent(script, { skip, limit }) {
      const moment = await look();
      const above = madeAbove(moment, script);
      const made = above.slice(skip, skip + limit);
      const indexed = await moment.view.unspent(script, { skip: Math.max(0, skip - above.length), limit: limit - made.length });
      const listed = [...made, ...indexed.map((output) => fromIndex(output, moment.tip))];
      return listed.filter((output) => !moment.above.some(({ delta }) => delta.spent.has(outpointName(output))));
    },
    async balance(script) {
      const { view, above } = await look();
      const sum = (outputs: BlockDelta['made'] | BlockDelta['spent']): bigint =>
        [...outputs.values()].reduce(
          (total, output) => (output !== undefined && equal(output.script, script) ? total + output.valueSats : total),
          0n,
        );
      return above.reduce((total, { delta }) => total + sum(delta.made) - sum(delta.spent), await view.balance(script));
    },
    async transaction(txid) {
      const { view, above } = await look();
      const name = bytesName(txid);
      const fresh = above.find(({ delta }) => delta.transactions.has(name));
      const height = fresh?.height ?? view.heightOfTransaction(txid);
      const hash = fresh?.hash ?? (height === undefined ? undefined : view.ancestor(height)?.hash);
      const place = fresh?.delta.transactions.get(name) ?? store.get(layout.bitcoinTransaction, txid)?.index;
      const raw = hash === undefined ? undefined : blocks.readRaw(hash);
      return raw === undefined || place === undefined ? undefined : sliceTransactionAt(raw, place);
    },
  };
}
