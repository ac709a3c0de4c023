import { type BitcoinNetwork, isHemidError, toDisplay } from '@hemid/protocol';
import { type Clock, every, type Logger, type Loop, type Service } from '@hemid/runtime';
import { runwayDays, spentInDay } from './budget.ts';
import { createCandidateReader } from './candidates.ts';
import { createClaims } from './claims.ts';
import { targetRate } from './fee.ts';
import type { Outlook } from './outlook.ts';
import { type Candidate, POLICY_DEFAULTS } from './policy.ts';
import type { PopWallet } from './pop-wallet.ts';
import type { FeeMarket, KeystoneSource, MinerBitcoin } from './ports.ts';
import { createQueue } from './queue.ts';
import { type PolicyOptions, runRound } from './round.ts';
import { changesBetween, describeOutlook, type PopMinerStatus } from './status.ts';

export interface PopMinerDeps {
  bitcoin: MinerBitcoin;
  keystones: KeystoneSource;
  wallet: PopWallet;
  clock: Clock;
  log: Logger;
  /** Called with the error that ended the loop. */
  onFailure: (error: unknown) => void;
}

export interface PopMinerOptions extends Pick<PolicyOptions, 'fees' | 'budgetSats'>, Partial<Pick<PolicyOptions, 'stuckBlocks' | 'maxAgeMs'>> {
  network: BitcoinNetwork;
  /** From the end of one round to the start of the next. */
  pollMs: number;
}

/** Publishes an L2 chain's keystones in Bitcoin (protocol section 7). */
export interface PopMiner {
  status(): PopMinerStatus;
  /**
   * One round: looks at Bitcoin, then publishes what is due and replaces what is stuck, newest first. Rounds never
   * overlap. A trouble that may pass is logged once, kept in the status, and left to the next round.
   *
   * @throws any other error
   */
  tick(signal?: AbortSignal): Promise<void>;
}

/** As the public network's miner: two blocks late, four hours old. */

/**
 * Creates the miner. It keeps nothing on disk: a round reads the chain, the mempool and the keystones, and acts; the
 * broadcast is its only effect, so it may die at any moment. {@link createClaims} says what it remembers and why.
 */
export function createPopMiner(deps: PopMinerDeps, options: PopMinerOptions): PopMiner & Service {
  const { bitcoin, wallet, clock, log } = deps;
  const readCandidates = createCandidateReader(deps.keystones);
  const claims = createClaims();
  const queue = createQueue(log);
  const policy: PolicyOptions = { ...POLICY_DEFAULTS, ...options };
  const sent = { publication: 0, replacement: 0 };
  let isOnNetwork = false;
  /** Of the last round: while the L2 node is away these are still taken care of. */
  let candidates: readonly Candidate[] = [];
  let market: FeeMarket | undefined;
  let outlook: Outlook | undefined;
  let trouble: string | undefined;
  let lastRound: Promise<void> = Promise.resolve();
  let loop: Loop | undefined;

  async function checkNetwork(signal?: AbortSignal): Promise<void> {
    if (isOnNetwork) return;
    await bitcoin.checkNetwork(options.network, signal);
    isOnNetwork = true;
  }

  async function observe(signal?: AbortSignal): Promise<Outlook> {
    const before = outlook;
    const now = await bitcoin.look(
      candidates.map(({ id }) => id),
      signal,
    );
    outlook = now;
    if (before === undefined) logFirst(now);
    else logChanges(before, now);
    return now;
  }

  function logFirst(now: Outlook): void {
    const { balanceSats, spendableSats, coins } = describeOutlook(now, wallet);
    const amounts = { balanceSats: String(balanceSats), spendableSats: String(spendableSats) };
    log.info({ via: bitcoin.name, address: wallet.address, ...amounts, coins, height: now.tipHeight }, 'pop miner sees bitcoin');
  }

  function logChanges(before: Outlook, now: Outlook): void {
    for (const { what, sighting } of changesBetween(before, now, wallet.miner)) {
      const fields = { keystone: sighting.keystoneNumber, txid: toDisplay(sighting.txid) };
      if (what === 'confirmed') log.info({ ...fields, height: sighting.height }, 'publication confirmed');
      else if (what === 'returned') log.info(fields, 'publication returned to the mempool');
      else {
        log.warn(fields, 'publication vanished');
        queue.lose(sighting);
      }
    }
  }

  async function work(signal?: AbortSignal): Promise<void> {
    await checkNetwork(signal);
    const read = await readCandidates(signal).catch((error: unknown) => ({ error }));
    if (!('error' in read)) candidates = read;
    market = await bitcoin.feeMarket(signal);
    const onSent = (what: keyof typeof sent): void => {
      sent[what] += 1;
    };
    const stopped = await runRound({ bitcoin, wallet, clock, log, claims, queue, observe, onSent }, { candidates, market, options: policy }, signal);
    if ('error' in read) throw read.error;
    if (stopped !== undefined) throw stopped;
  }

  async function round(signal?: AbortSignal): Promise<void> {
    try {
      await work(signal);
      if (trouble !== undefined) log.info('pop miner goes on');
      trouble = undefined;
    } catch (error) {
      if (signal?.aborted === true) return;
      if (!isHemidError(error) || error.severity !== 'retry') throw error;
      if (trouble !== error.message) log.warn({ code: error.code, ...error.details }, error.message);
      trouble = error.message;
    }
  }

  function tick(signal?: AbortSignal): Promise<void> {
    const turn = lastRound.then(() => round(signal));
    lastRound = turn.catch(() => undefined);
    return turn;
  }

  return {
    name: 'pop-miner',
    tick,
    status() {
      const { budgetSats: limitSats } = options;
      const rate = market === undefined ? undefined : targetRate(options.fees, market);
      const seen = outlook === undefined ? { balanceSats: 0n, spendableSats: 0n, coins: 0, pending: 0 } : describeOutlook(outlook, wallet);
      const days = outlook === undefined || rate === undefined ? undefined : runwayDays(outlook, { wallet, candidates, rate, limitSats });
      const spentSats = outlook === undefined ? 0n : spentInDay(outlook, rate ?? 0n);
      return {
        address: wallet.address,
        ...seen,
        publishedCount: sent.publication,
        replacedCount: sent.replacement,
        ...(rate === undefined ? {} : { feeRate: rate }),
        budget: { ...(limitSats === undefined ? {} : { limitSats }), spentSats },
        ...(days === undefined ? {} : { runwayDays: days }),
        queue: queue.entries(),
        abandoned: queue.abandoned(),
        ...(trouble === undefined ? {} : { trouble }),
      };
    },
    async start(signal) {
      await checkNetwork(signal).catch((error: unknown) => {
        if (!isHemidError(error) || error.severity !== 'retry') throw error;
      });
      loop = every(clock, options.pollMs, () => tick(signal), signal);
      loop.done.catch(deps.onFailure);
    },
    async stop() {
      await loop?.done.catch(() => undefined);
    },
  };
}
