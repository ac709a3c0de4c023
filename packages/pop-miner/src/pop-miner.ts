import { type BitcoinNetwork, isHemidError, toDisplay } from '@hemid/protocol';
import { type Clock, every, type Logger, type Loop, type Service } from '@hemid/runtime';
import { createCandidateReader } from './candidates.ts';
import type { FeeOptions } from './fee.ts';
import type { Outlook } from './outlook.ts';
import { nextDue } from './policy.ts';
import type { PopWallet } from './pop-wallet.ts';
import type { KeystoneSource, MinerBitcoin } from './ports.ts';
import { publish } from './publish.ts';
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

export interface PopMinerOptions {
  network: BitcoinNetwork;
  fees: FeeOptions;
  /** From the end of one round to the start of the next. */
  pollMs: number;
}

/** Publishes an L2 chain's keystones in Bitcoin (protocol section 7). */
export interface PopMiner {
  status(): PopMinerStatus;
  /**
   * One round: looks at Bitcoin, then publishes what is due, newest first. Rounds never overlap. A trouble that may
   * pass is logged once, kept in the status, and left to the next round.
   *
   * @throws any other error
   */
  tick(signal?: AbortSignal): Promise<void>;
}

/**
 * Creates the miner. It keeps nothing on disk and decides nothing from memory: a round reads the chain, the mempool and
 * the keystones, and acts; the broadcast is its only effect, so it may die at any moment.
 */
export function createPopMiner(deps: PopMinerDeps, options: PopMinerOptions): PopMiner & Service {
  const { bitcoin, wallet, clock, log } = deps;
  const candidates = createCandidateReader(deps.keystones, log);
  let isOnNetwork = false;
  /** Keystones of the last round: while the L2 node is away these are still watched. */
  let asked: readonly string[] = [];
  let outlook: Outlook | undefined;
  let publishedCount = 0;
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
    const now = await bitcoin.look([...asked], signal);
    outlook = now;
    if (before === undefined) logFirst(now);
    else logChanges(before, now);
    return now;
  }

  function logFirst(now: Outlook): void {
    const { balanceSats, spendableSats, coins } = describeOutlook(now, wallet);
    const amounts = { balanceSats: String(balanceSats), spendableSats: String(spendableSats) };
    log.info({ address: wallet.address, ...amounts, coins, height: now.tipHeight }, 'pop miner sees bitcoin');
  }

  function logChanges(before: Outlook, now: Outlook): void {
    for (const { what, sighting } of changesBetween(before, now, wallet.miner)) {
      const fields = { keystone: sighting.keystoneNumber, txid: toDisplay(sighting.txid) };
      if (what === 'confirmed') log.info({ ...fields, height: sighting.height }, 'publication confirmed');
      else if (what === 'returned') log.info(fields, 'publication returned to the mempool');
      else log.warn(fields, 'publication vanished');
    }
  }

  async function work(signal?: AbortSignal): Promise<void> {
    await checkNetwork(signal);
    const read = await candidates.read(signal).catch((error: unknown) => ({ error }));
    if (!('error' in read)) asked = read.map(({ id }) => id);
    let now = await observe(signal);
    if ('error' in read) throw read.error;
    const newest = read;
    candidates.mention(newest, now);
    const tried = new Set<string>();
    for (let next = nextDue(newest, now, tried); next !== undefined; next = nextDue(newest, now, tried)) {
      tried.add(next.id);
      const { txid, feeSats, vsize } = await publish({ bitcoin, wallet, fees: options.fees }, { candidate: next, outlook: now }, signal);
      publishedCount += 1;
      const fields = { keystone: next.keystone.l2BlockNumber, id: next.id, txid: toDisplay(txid), feeSats: String(feeSats), vsize };
      log.info(fields, 'keystone published');
      now = await observe(signal);
    }
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
      const seen = outlook === undefined ? { balanceSats: 0n, spendableSats: 0n, coins: 0, pending: 0 } : describeOutlook(outlook, wallet);
      return { address: wallet.address, ...seen, publishedCount, ...(trouble === undefined ? {} : { trouble }) };
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
