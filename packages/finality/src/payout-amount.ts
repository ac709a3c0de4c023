import { equal, type Payout, type Publication } from '@hemid/protocol';

/** Score by Bitcoin blocks after the first payable publication (protocol section 9). */
const SCORES = [100_000n, 100_000n, 25_000n, 11_111n, 6_250n, 4_000n, 2_778n, 2_041n, 1_563n];
/** Most payees of one keystone. */
const MAX_PAYEES = 64;
/** Blocks after the window's first until its payout is due. */
const PAYOUT_DELAY = 8;

type Payable = Publication & { miner: Uint8Array };

/**
 * The payout of a keystone from its counting publications, in Bitcoin order: a window of nine Bitcoin blocks from the
 * first payable one, each miner once, the first 64, `pool` shared by score with integer division.
 *
 * @returns `undefined` while the window has not closed at `tipHeight`, or when nobody is payable.
 */
export function payoutOf(
  blockRewarded: bigint,
  publications: readonly Publication[],
  rules: { pool: bigint; tipHeight: number },
): Payout | undefined {
  const payable = publications.filter((one): one is Payable => one.miner !== undefined);
  const opened = payable[0]?.height;
  if (opened === undefined || rules.tipHeight < opened + PAYOUT_DELAY) return undefined;
  const first = payable.filter((one, i) => one.height < opened + SCORES.length && payable.findIndex((other) => equal(other.miner, one.miner)) === i);
  const payees = first.slice(0, MAX_PAYEES);
  const scores = payees.map((one) => SCORES[one.height - opened] ?? 0n);
  const total = scores.reduce((sum, score) => sum + score, 0n);
  return {
    blockRewarded,
    miners: payees.map((one) => one.miner),
    amounts: scores.map((score) => (rules.pool * score) / total),
  };
}
