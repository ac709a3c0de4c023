import type { BitcoinSource, BlockStore, HeaderChain } from '@hemid/bitcoin';
import { bitcoinReference, type Chain } from '@hemid/chain';
import { isHemidError, type SealedBlock, toDisplay, toHex } from '@hemid/protocol';
import { type Clock, every, type Logger, type Loop, type Service } from '@hemid/runtime';
import { BURIED, fetchBitcoinBlock, missingBitcoinBlock } from './bitcoin-fetch.ts';
import { fail } from './errors.ts';
import type { Upstream } from './upstream.ts';

export interface FollowUpstreamDeps {
  chain: Chain;
  upstream: Upstream;
  source: BitcoinSource;
  headers: HeaderChain;
  blocks: BlockStore;
  clock: Clock;
  log: Logger;
  /** Called with the error that ended the loop. */
  onFailure: (error: unknown) => void;
}

/** Keeps a verifier's chain up to an upstream node, block by verified block. */
export interface FollowUpstream extends Service {
  /** One round: fetches and imports what is new. @throws `retry` errors; a refused block is reported, not thrown. */
  pull(signal?: AbortSignal): Promise<void>;
  /** Why it is not up to the upstream, or `undefined`. */
  trouble(): string | undefined;
  /** The block that a long way to the upstream's head began at, and the highest that is known of; `undefined` when the upstream has little more. */
  catchingUp(): { from: bigint; to: bigint } | undefined;
  /** The error of the upstream block that was refused last, while the upstream still has it on its chain. */
  refused(): Error | undefined;
}

const BATCH = 64;

/** Creates the service that follows an upstream, `pollMs` apart. */
export function createFollowUpstream(deps: FollowUpstreamDeps, options: { pollMs: number }): FollowUpstream {
  const { chain, upstream, clock, log } = deps;
  let loop: Loop | undefined;
  let trouble: string | undefined;
  let refused: { hash: string; error: Error } | undefined;
  let catchingUp: { from: bigint; to: bigint } | undefined;

  const isKnown = (sealed: SealedBlock): boolean => chain.header(sealed.hash) !== undefined;

  /** Whether a first block stands on one that is here; nothing is below the genesis. */
  function isConnected(first: SealedBlock | undefined, from: bigint): boolean {
    return first !== undefined && (from === 0n || isKnown(first) || chain.header(first.block.header.parentHash) !== undefined);
  }

  /** The upstream's next blocks that are not here, on top of one that is; none at its head. */
  async function fetchNext(signal?: AbortSignal): Promise<SealedBlock[]> {
    let from = chain.head('latest').header.number;
    let blocks = await upstream.sealedBlocks(from, BATCH, signal);
    for (let step = BigInt(BATCH / 2); !isConnected(blocks[0], from); step *= 2n) {
      if (from === 0n) return [];
      from = from > step ? from - step : 0n;
      blocks = await upstream.sealedBlocks(from, BATCH, signal);
    }
    // The steps back may have gone far below the fork, or to a branch of which the beginning is here.
    while (blocks.length === BATCH && blocks.every(isKnown)) {
      from += BigInt(BATCH);
      blocks = await upstream.sealedBlocks(from, BATCH, signal);
    }
    const last = blocks.length === BATCH ? blocks.at(-1) : undefined;
    catchingUp = last && { from: catchingUp?.from ?? chain.head('latest').header.number, to: last.block.header.number };
    return blocks.filter((sealed) => !isKnown(sealed));
  }

  async function importOne(sealed: SealedBlock, signal?: AbortSignal): Promise<void> {
    for (;;) {
      try {
        await chain.import(sealed);
        return;
      } catch (error) {
        const missing = missingBitcoinBlock(error);
        const tip = deps.headers.read(bitcoinReference(sealed.block.header));
        if (missing === undefined || tip === undefined) throw error;
        if (!(await fetchBitcoinBlock(deps, { hash: missing, tipHeight: tip.height }, signal))) throw waiting(sealed, missing, tip.height);
      }
    }
  }

  /** Lets the chain see the headers of blocks that wait behind one that cannot be executed yet (protocol section 8). */
  async function showWaiting(blocks: readonly SealedBlock[]): Promise<void> {
    for (const sealed of blocks) {
      await chain.import(sealed).catch((error: unknown) => {
        if (!isHemidError(error) || error.severity === 'fatal') throw error;
      });
    }
  }

  /** Says what an L2 block waits for, and what ends the wait (protocol 4.4). */
  function waiting(sealed: SealedBlock, missing: Uint8Array, tipHeight: number): Error {
    return fail(
      'network/waiting-for-bitcoin',
      `block ${sealed.block.header.number} needs Bitcoin block ${toDisplay(missing)}, which this node's Bitcoin node does not know: waiting until it does, or until its own chain reaches height ${tipHeight + BURIED} (now ${deps.headers.best().height})`,
    );
  }

  function refuse(sealed: SealedBlock, error: Error): void {
    if (refused?.hash !== toHex(sealed.hash)) log.error({ code: (error as { code?: string }).code }, `refused: ${error.message}`);
    refused = { hash: toHex(sealed.hash), error };
    trouble = error.message;
  }

  async function pull(signal?: AbortSignal): Promise<void> {
    for (;;) {
      const blocks = await fetchNext(signal);
      if (blocks.length === 0) {
        refused = undefined;
        return;
      }
      for (const [i, sealed] of blocks.entries()) {
        const next = blocks[i + 1];
        if (next !== undefined) chain.expect(next);
        // A slot that this node's clock has not reached is for later, not invalid (protocol section 3). Development chains travel in time.
        if (chain.spec.genesis.development !== true && Number(sealed.block.header.timestamp) * 1000 > clock.now()) return;
        if (refused?.hash === toHex(sealed.hash)) return;
        try {
          await importOne(sealed, signal);
          refused = undefined;
          log.debug({ number: Number(sealed.block.header.number), hash: toHex(sealed.hash) }, 'block imported');
        } catch (error) {
          if (isHemidError(error, 'network/waiting-for-bitcoin')) await showWaiting(blocks.slice(i + 1));
          if (!isHemidError(error) || error.severity !== 'invalid') throw error;
          refuse(sealed, error);
          return;
        }
      }
    }
  }

  async function round(signal: AbortSignal): Promise<void> {
    try {
      await pull(signal);
      trouble = refused?.error.message;
    } catch (error) {
      if (signal.aborted) return;
      if (!isHemidError(error) || error.severity === 'fatal') throw error;
      if (trouble !== error.message) log.warn({ code: error.code }, error.message);
      trouble = error.message;
    }
  }

  return {
    name: 'follow-upstream',
    pull,
    trouble: () => trouble,
    catchingUp: () => catchingUp,
    refused: () => refused?.error,
    start(signal) {
      loop = every(clock, options.pollMs, () => round(signal), signal);
      loop.done.catch(deps.onFailure);
    },
    async stop() {
      await loop?.done.catch(() => undefined);
    },
  };
}
