import { type ChainSpec, equal, isHemidError } from '@hemid/protocol';
import { type Clock, every, type Logger, type Loop, type Service } from '@hemid/runtime';
import type { BlockStore } from './block-store.ts';
import { fail } from './errors.ts';
import type { HeaderChain } from './header-chain.ts';
import type { BitcoinSource } from './source.ts';

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
  /** Why the last round could not finish, or `undefined` when the source was reached. */
  trouble(): string | undefined;
}

/** Creates the service that follows a source, `pollMs` apart. */
export function createBitcoinSync(deps: BitcoinSyncDeps, options: { pollMs: number }): BitcoinSync & Service {
  const { spec, source, headers, blocks, clock, log } = deps;
  let loop: Loop | undefined;
  let trouble: string | undefined;

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

  async function pull(signal?: AbortSignal): Promise<void> {
    const before = headers.best().hash;
    const best = await source.best(signal);
    if (equal(best.hash, before) && (best.height === headers.genesis.height || blocks.has(before))) return;
    const from = await forkHeight(best.height, signal);
    for (let height = from + 1; height <= best.height; height += 1) {
      const hash = await source.hashAt(height, signal);
      const raw = hash === undefined ? undefined : await source.block(hash, signal);
      if (raw === undefined) break;
      const block = await blocks.keep(raw);
      await headers.add([block.header]);
    }
    await deps.onTip();
  }

  async function round(signal: AbortSignal): Promise<void> {
    try {
      await pull(signal);
      if (trouble !== undefined) log.info({ height: headers.best().height }, 'bitcoin source answers again');
      trouble = undefined;
    } catch (error) {
      if (signal.aborted) return;
      if (!isHemidError(error) || error.severity !== 'retry') throw error;
      if (trouble !== error.message) log.warn({ code: error.code }, error.message);
      trouble = error.message;
    }
  }

  return {
    name: 'bitcoin-sync',
    pull,
    trouble: () => trouble,
    async start(signal) {
      await source.checkNetwork(spec.genesis.bitcoin.network, signal).catch((error: unknown) => {
        if (!isHemidError(error) || error.severity !== 'retry') throw error;
      });
      await deps.onTip();
      loop = every(clock, options.pollMs, () => round(signal), signal);
      loop.done.catch(deps.onFailure);
    },
    async stop() {
      await loop?.done.catch(() => undefined);
    },
  };
}
