import { bitcoinReference, type ChainReader, type PlacedL2Header } from '@hemid/chain';
import { counts, fromBigEndian, hashKeystone, POP_REWARD_ADDRESS, paidSlot } from '@hemid/protocol';
import { type PayoutStanding, standingOf } from './payout-amount.ts';

/** What has become of a keystone's reward, as the head of the chain sees Bitcoin. */
export interface PayoutReport {
  /**
   * `unpublished`: no counting publication; `unpayable`: none that pays somebody; `open`: miners may still join; `due`: the
   * next keystone block pays; `paid`: it has been paid.
   */
  status: 'unpublished' | 'unpayable' | 'open' | 'due' | 'paid';
  standing: PayoutStanding | undefined;
  /** Height of the index tip that all of this is seen from. */
  tipHeight: number;
}

/** Reports on the reward of a canonical keystone block (protocol section 9). */
export async function reportPayout(chain: ChainReader, keystone: PlacedL2Header): Promise<PayoutReport> {
  const head = chain.head('latest');
  const view = chain.viewAt(head);
  const tip = bitcoinReference(keystone.header);
  const height = view.heightOf(tip);
  const named = height === undefined ? undefined : { hash: tip, height };
  const counting = (await view.publications(hashKeystone(chain.keystone(keystone)))).filter((one) => counts(one, named));
  const standing = standingOf(counting, chain.spec.genesis.popPool);
  const isPaid = fromBigEndian(await chain.stateAt(head).storage(POP_REWARD_ADDRESS, paidSlot(keystone.header.number))) !== 0n;
  const tipHeight = view.indexTip.height;
  const unpaid = standing === undefined ? (counting.length > 0 ? 'unpayable' : 'unpublished') : tipHeight < standing.due ? 'open' : 'due';
  return { status: isPaid ? 'paid' : unpaid, standing, tipHeight };
}
