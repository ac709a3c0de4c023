import { equal, type Payout, type Publication } from '@hemid/protocol';

/** Score by Bitcoin blocks after the first payable publication (protocol section 9). */
const SCORES = [100_000n, 100_000n, 25_000n, 11_111n, 6_250n, 4_000n, 2_778n, 2_041n, 1_563n];
/** Most payees of one keystone. */
const MAX_PAYEES = 64;
/** Blocks after the window's first until its payout is due. */
const PAYOUT_DELAY = 8;

type Payable = Publication & { miner: Uint8Array };

/** How the reward of a keystone is shared by what is published so far. */
export interface PayoutStanding {
  /** Bitcoin height of the window's first block; its last one is {@link PayoutStanding.due | due}. */
  opened: number;
  /** The height of the index tip from which on the payout is due. */
  due: number;
  /** In the order of their publications; `amount` is what each gets if nobody joins. */
  payees: { publication: Payable; score: bigint; amount: bigint }[];
}

/**
 * Shares `pool` among the counting publications of a keystone, in Bitcoin order (protocol section 9): a window of nine
 * Bitcoin blocks from the first payable one, each miner once, the first 64, by score with integer division.
 *
 * @returns `undefined` when nobody is payable.
 */
export function standingOf(publications: readonly Publication[], pool: bigint): PayoutStanding | undefined {
  const payable = publications.filter((one): one is Payable => one.miner !== undefined);
  const opened = payable[0]?.height;
  if (opened === undefined) return undefined;
  const first = payable.filter((one, i) => one.height < opened + SCORES.length && payable.findIndex((other) => equal(other.miner, one.miner)) === i);
  const scored = first.slice(0, MAX_PAYEES).map((publication) => ({ publication, score: SCORES[publication.height - opened] ?? 0n }));
  const total = scored.reduce((sum, { score }) => sum + score, 0n);
  return { opened, due: opened + PAYOUT_DELAY, payees: scored.map((one) => ({ ...one, amount: (pool * one.score) / total })) };
}

/**
 * The payout of a keystone from its counting publications.
 *
 * @returns `undefined` while the window has not closed at `tipHeight`, or when nobody is payable.
 */
export function payoutOf(
  blockRewarded: bigint,
  publications: readonly Publication[],
  rules: { pool: bigint; tipHeight: number },
): Payout | undefined {
  const standing = standingOf(publications, rules.pool);
  if (standing === undefined || rules.tipHeight < standing.due) return undefined;
  const { payees } = standing;
  return { blockRewarded, miners: payees.map(({ publication }) => publication.miner), amounts: payees.map(({ amount }) => amount) };
}
