import { type ChainSpec, equal, type HemidError, isHemidError, toDisplay } from '@hemid/protocol';
import type { Clock, Logger, Service } from '@hemid/runtime';
import { type FetchedBlock, fetchBlocks } from './block-fetch.ts';
import type { BlockStore } from './block-store.ts';
import { fail } from './errors.ts';
import type { HeaderChain } from './header-chain.ts';
import type { BitcoinSource } from './source.ts';
import { createSyncProgress } from './sync-progress.ts';

export interface BitcoinSyncDeps {
  spec: ChainSpec;
  source: BitcoinSource;
  headers: HeaderChain;
  blocks: BlockStore;
  clock: Clock;
  log: Logger;
  /** Called after blocks came in, and once at the start. Awaited. */
  onTip: () => Promise<void>;
  /** Called with the error that ended the loop. */
  onFailure: (error: unknown) => void;
}

/** Keeps the node's own Bitcoin chain up to its source. */
export interface BitcoinSync {
  /** One round: fetches what the source has and this node has not, and tells `onTip` if that was anything. */
  pull(signal?: AbortSignal): Promise<void>;
  /** Makes the next round start now instead of at the next poll. */
  wake(): void;
  /** Why the last round could not finish, or `undefined` when the source was reached. */
  trouble(): string | undefined;
  /** How often what happened since the start; keys are words with dashes. */
  counters(): Record<string, number>;
}

/** Blocks that are written and made known together. */
const BATCH_BLOCKS = 16;
const BATCH_BYTES = 3 << 20;

/** Creates the service that follows a source, `pollMs` apart and when it is woken. */
export function createBitcoinSync(deps: BitcoinSyncDeps, options: { pollMs: number }): BitcoinSync & Service {
  const { spec, source, headers, blocks, clock, log } = deps;
  const counters = { blocks: 0, reorgs: 0, 'failed-rounds': 0 };
  let running: Promise<void> | undefined;
  let trouble: string | undefined;
  let following: Promise<void> = Promise.resolve();
  let sleeping: AbortController | undefined;
  let isWoken = false;

  /** Height of the highest block of the source's best chain that is here already, body included. */
  async function forkHeight(sourceHeight: number, signal?: AbortSignal): Promise<number> {
    const { genesis } = headers;
    let height = Math.min(sourceHeight, headers.best().height);
    for (; height > genesis.height; height -= 1) {
      const hash = await source.hashAt(height, signal);
      if (hash !== undefined && headers.read(hash) !== undefined && blocks.has(hash)) return height;
    }
    const hash = await source.hashAt(genesis.height, signal);
    if (hash === undefined) throw fail('bitcoin/behind', `the Bitcoin node has not reached the hVM genesis at height ${genesis.height} yet`);
    if (equal(hash, genesis.hash)) return genesis.height;
    throw fail(
      'bitcoin/wrong-network',
      `the Bitcoin node's block ${genesis.height} is not the hVM genesis of the chain spec: it follows another chain`,
    );
  }

  /** What an invalid block or header says about the source that gave it; the node itself goes on. */
  function lie(error: HemidError): HemidError {
    const reason = fail('bitcoin/lie', `the Bitcoin node gave a block that is not valid: ${error.message}`, { cause: error });
    source.distrust?.(reason);
    return reason;
  }

  /** Bodies first: a header that is on disk has its body there. */
  async function keep(batch: readonly FetchedBlock[]): Promise<void> {
    try {
      const kept = await blocks.keepAll(batch.map(({ raw }) => raw));
      await headers.add(kept.map(({ header }) => header));
    } catch (error) {
      throw isHemidError(error) && error.severity === 'invalid' ? lie(error) : error;
    }
    counters.blocks += batch.length;
    // What follows the tip runs while the next blocks come in and are checked, one batch behind at most.
    await following;
    following = deps.onTip();
    following.catch(() => undefined);
  }

  async function fetchAll(range: { from: number; to: number }, signal?: AbortSignal): Promise<void> {
    const progress = createSyncProgress({ clock, log }, range);
    let batch: FetchedBlock[] = [];
    let bytes = 0;
    for await (const block of fetchBlocks({ source, clock, log }, range, signal)) {
      batch.push(block);
      bytes += block.raw.length;
      if (batch.length < BATCH_BLOCKS && bytes < BATCH_BYTES && block.height < range.to) continue;
      await keep(batch);
      progress(block.height);
      batch = [];
      bytes = 0;
      if (signal?.aborted === true) return;
    }
    if (batch.length > 0) await keep(batch);
  }

  async function pull(signal?: AbortSignal): Promise<void> {
    const before = headers.best();
    const best = await source.best(signal);
    if (equal(best.hash, before.hash) && (best.height === headers.genesis.height || blocks.has(before.hash))) return;
    const fork = await forkHeight(best.height, signal);
    try {
      await fetchAll({ from: fork + 1, to: best.height }, signal);
    } finally {
      const last = following;
      following = Promise.resolve();
      await last;
    }
    const after = headers.best();
    if (headers.isAncestor(before.hash, after.hash)) {
      if (equal(before.hash, after.hash)) await deps.onTip();
      return;
    }
    counters.reorgs += 1;
    const depth = before.height - headers.commonAncestor(before.hash, after.hash).height;
    log.info({ depth, from: toDisplay(before.hash), to: toDisplay(after.hash), height: after.height }, 'bitcoin reorganised');
  }

  async function round(signal: AbortSignal): Promise<void> {
    try {
      await pull(signal);
      if (trouble !== undefined) log.info({ height: headers.best().height }, 'bitcoin source answers again');
      trouble = undefined;
    } catch (error) {
      if (signal.aborted) return;
      if (!isHemidError(error) || error.severity !== 'retry') throw error;
      counters['failed-rounds'] += 1;
      if (trouble !== error.message) log.warn({ code: error.code }, error.message);
      trouble = error.message;
    }
  }

  /** Sleeps until the next poll, or until it is woken. */
  async function pause(signal: AbortSignal): Promise<void> {
    if (isWoken || signal.aborted) return;
    sleeping = new AbortController();
    const stop = (): void => sleeping?.abort();
    signal.addEventListener('abort', stop, { once: true });
    await clock.sleep(options.pollMs, sleeping.signal);
    signal.removeEventListener('abort', stop);
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      isWoken = false;
      await round(signal);
      await pause(signal);
    }
  }

  return {
    name: 'bitcoin-sync',
    pull,
    trouble: () => trouble,
    wake() {
      isWoken = true;
      sleeping?.abort();
    },
    counters: () => ({ ...counters, ...source.counters?.() }),
    async start(signal) {
      await source.checkNetwork(spec.genesis.bitcoin.network, signal).catch((error: unknown) => {
        if (!isHemidError(error) || error.severity !== 'retry') throw error;
      });
      await deps.onTip();
      running = run(signal);
      running.catch(deps.onFailure);
    },
    async stop() {
      await running?.catch(() => undefined);
    },
  };
}
