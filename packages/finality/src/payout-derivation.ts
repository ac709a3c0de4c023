import type { HeaderChain } from '@hemid/bitcoin';
import { bitcoinReference, type Derivation, type DerivationInput, keystoneOf, type PlacedL2Header } from '@hemid/chain';
import {
  type BitcoinTip,
  type ChainSpec,
  COUNTING_DEPTH,
  counts,
  equal,
  fromBigEndian,
  hashKeystone,
  type PayoutTransaction,
  POP_REWARD_ADDRESS,
  paidSlot,
  toPayoutTransaction,
} from '@hemid/protocol';
import { payoutOf } from './payout-amount.ts';

/** Most payouts in one block. */
const MAX_PAYOUTS = 8;

/** Up to where nothing can become due any more on a branch, as long as its Bitcoin view is not reorganised. */
interface Floor {
  /** Every keystone up to this number is paid or can never be. */
  keystone: bigint;
  /** The block and the Bitcoin tip it was found at. */
  block: PlacedL2Header;
  indexTip: BitcoinTip;
}

/**
 * PoP payouts due in a block (protocol section 9): a function of the parent and the block's view. The floor it
 * remembers only saves work; it is used on descendants of where it was found, and thrown away otherwise.
 */
export function createPayoutDerivation(spec: ChainSpec, headers: HeaderChain): Derivation {
  const period = BigInt(spec.genesis.keystonePeriod);
  const pool = spec.genesis.popPool;
  let floor: Floor | undefined;

  function floorFor({ parent, view, ancestor }: DerivationInput): bigint {
    if (floor === undefined || floor.block.header.number > parent.header.number) return 0n;
    const onBranch = equal(ancestor(floor.block.header.number).hash, floor.block.hash);
    return onBranch && view.heightOf(floor.indexTip.hash) !== undefined ? floor.keystone : 0n;
  }

  const isPaid = async (input: DerivationInput, number: bigint): Promise<boolean> =>
    fromBigEndian(await input.state.storage(POP_REWARD_ADDRESS, paidSlot(number))) !== 0n;

  /** The payout that is due for a keystone now, and whether one can still become due later. */
  async function judge(input: DerivationInput, keystone: PlacedL2Header): Promise<{ due?: PayoutTransaction; open: boolean }> {
    const { view } = input;
    const { number } = keystone.header;
    if (await isPaid(input, number)) return { open: false };
    const tip = bitcoinReference(keystone.header);
    const height = view.heightOf(tip);
    if (height === undefined) {
      // Named on another branch of Bitcoin: as long as the view is not reorganised it never counts.
      const named = headers.read(tip);
      return { open: named === undefined || named.height > view.indexTip.height };
    }
    const id = hashKeystone(keystoneOf(spec, headers, keystone, input.ancestor));
    const counting = (await view.publications(id)).filter((one) => counts(one, { hash: tip, height }));
    const payout = payoutOf(number, counting, { pool, tipHeight: view.indexTip.height });
    if (payout !== undefined) return { due: toPayoutTransaction(payout), open: true };
    const decided = view.indexTip.height >= height + COUNTING_DEPTH && !counting.some((one) => one.miner !== undefined);
    return { open: !decided };
  }

  return {
    name: 'payouts',
    async due(input) {
      if (input.number % period !== 0n) return { transactions: [], writes: [] };
      const transactions: PayoutTransaction[] = [];
      let { budget } = input;
      let lowestOpen: bigint | undefined;
      const start = floorFor(input);
      for (let number = start + period; number < input.number; number += period) {
        const { due, open } = await judge(input, input.ancestor(number));
        if (open) lowestOpen ??= number;
        if (due === undefined) continue;
        if (transactions.length === MAX_PAYOUTS || due.gas > budget) break;
        transactions.push(due);
        budget -= due.gas;
      }
      const closed = (lowestOpen ?? input.number) - period;
      floor = { keystone: closed > start ? closed : start, block: input.parent, indexTip: input.view.indexTip };
      return { transactions, writes: [] };
    },
  };
}
