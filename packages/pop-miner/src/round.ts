import { type HemidError, isHemidError, toDisplay } from '@hemid/protocol';
import type { Clock, Logger } from '@hemid/runtime';
import { assertInBudget, spentInDay } from './budget.ts';
import type { Claims } from './claims.ts';
import { createFamily } from './family.ts';
import { type FeeOptions, targetRate } from './fee.ts';
import type { Outlook } from './outlook.ts';
import { type Plan, type PlanContext, planPublication, planReplacement } from './plan.ts';
import { type AgeLimit, type Candidate, isWanted, type StuckRequest, standingOf, stuckPublication, stuckTransactions } from './policy.ts';
import { buildPopTransaction } from './pop-transaction.ts';
import type { PopWallet } from './pop-wallet.ts';
import type { FeeMarket, MinerBitcoin } from './ports.ts';
import type { Queue } from './queue.ts';

/** How the miner spends; see docs/mining.md. */
export interface PolicyOptions {
  fees: FeeOptions;
  /** Fees in sats that may be spent in 144 blocks; no limit when left out. */
  budgetSats?: bigint;
  /** Blocks after which a publication that pays too little is replaced. */
  stuckBlocks: number;
  /** Keystones whose block is older are passed over, milliseconds. */
  maxAgeMs: number;
}

export interface RoundDeps {
  bitcoin: MinerBitcoin;
  wallet: PopWallet;
  clock: Clock;
  log: Logger;
  claims: Claims;
  queue: Queue;
  /** Reads Bitcoin again, for everybody. */
  observe(signal?: AbortSignal): Promise<Outlook>;
  onSent(kind: 'publication' | 'replacement'): void;
}

/** What stops one keystone, not the round. */
const OF_ONE_KEYSTONE = ['pop-miner/no-funds', 'pop-miner/fee-too-high', 'pop-miner/budget', 'pop-miner/held', 'pop-miner/refused'];

/** A step of a round: what to send for which keystone. */
interface Step {
  candidate: Candidate;
  what: 'publication' | 'replacement';
  plan: Plan;
}

/**
 * Does what there is to do for the candidates, the newest first: publishes what is due, replaces what is stuck. Bitcoin
 * is read anew after everything that was sent.
 *
 * @returns the first error that kept a keystone from being published.
 * @throws all other errors
 */
export async function runRound(
  deps: RoundDeps,
  { candidates, market, options }: { candidates: readonly Candidate[]; market: FeeMarket; options: PolicyOptions },
  signal?: AbortSignal,
): Promise<HemidError | undefined> {
  const { queue, clock, claims } = deps;
  const rate = targetRate(options.fees, market);
  const limit: AgeLimit = { nowMs: clock.now(), maxAgeMs: options.maxAgeMs };
  const ids = new Set(candidates.map(({ id }) => id));
  let trouble: HemidError | undefined;
  let outlook = await deps.observe(signal);
  for (const candidate of candidates) {
    claims.update(outlook, ids);
    queue.update(candidates, outlook, limit);
    try {
      const step = nextStep(candidate, outlook);
      if (step === undefined) continue;
      await send(deps, step, signal);
      outlook = await deps.observe(signal);
    } catch (error) {
      if (!isHemidError(error) || !OF_ONE_KEYSTONE.includes(error.code)) throw error;
      queue.note(candidate, error);
      trouble ??= error;
    }
  }
  claims.update(outlook, ids);
  queue.update(candidates, outlook, limit);
  return trouble;

  function nextStep(candidate: Candidate, now: Outlook): Step | undefined {
    const context: PlanContext = { outlook: now, family: createFamily(now.pending), wallet: deps.wallet, fees: options.fees, rate };
    const standing = standingOf(candidate, now, limit);
    if (standing !== 'due' && standing !== 'pending') return undefined;
    const step = standing === 'due' ? publication(candidate, context) : replacement(candidate, context);
    if (step !== undefined) assertInBudget(step.plan.extraSats, { limitSats: options.budgetSats, spentSats: spentInDay(now, rate) });
    return step;
  }

  function publication(candidate: Candidate, context: PlanContext): Step {
    const due = candidates.filter((other) => standingOf(other, context.outlook, limit) === 'due');
    const request = { waiting: due.length - 1, claim: claims.claimOf(candidate.id, context.outlook) };
    try {
      return { candidate, what: 'publication', plan: planPublication(candidate, request, context) };
    } catch (error) {
      // Coins under a stuck chain come free when it is mined, whatever it publishes.
      const [stuck] = isHemidError(error, 'pop-miner/no-funds') ? stuckTransactions(context.outlook, toStuckRequest(context)) : [];
      if (stuck === undefined) throw error;
      return { candidate, what: 'replacement', plan: planReplacement(stuck, market.incremental, context) };
    }
  }

  function replacement(candidate: Candidate, context: PlanContext): Step | undefined {
    if (!isWanted(candidate, context.outlook, limit)) return undefined;
    const stuck = stuckPublication(candidate, context.outlook, toStuckRequest(context));
    return stuck && { candidate, what: 'replacement', plan: planReplacement(stuck, market.incremental, context) };
  }

  function toStuckRequest({ family }: PlanContext): StuckRequest {
    return { family, patience: { rate, blocks: options.stuckBlocks } };
  }
}

async function send({ bitcoin, wallet, log, onSent }: RoundDeps, { candidate, what, plan }: Step, signal?: AbortSignal): Promise<void> {
  const { raw, txid, vsize } = buildPopTransaction(wallet, plan);
  await bitcoin.broadcast(raw, signal);
  onSent(what);
  const { keystone, id } = candidate;
  const fields = { keystone: keystone.l2BlockNumber, id, txid: toDisplay(txid), feeSats: String(plan.feeSats), vsize };
  log.info(fields, what === 'publication' ? 'keystone published' : 'stuck publication replaced');
}
