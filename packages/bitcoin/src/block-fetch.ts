import { isHemidError } from '@hemid/protocol';
import type { Clock, Logger } from '@hemid/runtime';
import type { BitcoinSource } from './source.ts';

/** A block of a source's best chain as it was when it was asked for. */
export interface FetchedBlock {
  height: number;
  hash: Uint8Array;
  raw: Uint8Array;
}

export interface FetchRange {
  from: number;
  to: number;
}

/** Blocks that are asked for at once: bitcoind has 4 threads and 16 places for calls that wait. */
const IN_FLIGHT = 6;
/** Bytes that may wait to be taken; one block more is always asked for. */
const MAX_WAITING_BYTES = 8 << 20;
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;
const ATTEMPTS = 6;
/** What passes by waiting: too many calls at once, or an answer that took too long. */
const OVERLOADED = new Set(['bitcoin/busy', 'bitcoin/unreachable']);

/**
 * Fetches a range of a source's best chain in order, several blocks at once. A source that is overloaded gets fewer
 * calls, after a pause that doubles; the sixth refusal of one block is thrown. Ends early where the source has no block.
 */
export async function* fetchBlocks(
  deps: { source: BitcoinSource; clock: Clock; log: Logger },
  { from, to }: FetchRange,
  signal?: AbortSignal,
): AsyncGenerator<FetchedBlock> {
  const { source, clock, log } = deps;
  let inFlight = IN_FLIGHT;
  let waitingBytes = 0;
  const queue: Promise<FetchedBlock | undefined>[] = [];
  let next = from;

  async function fetchOne(height: number): Promise<FetchedBlock | undefined> {
    for (let attempt = 1, delayMs = FIRST_DELAY_MS; ; attempt += 1, delayMs = Math.min(delayMs * 2, MAX_DELAY_MS)) {
      try {
        const hash = await source.hashAt(height, signal);
        const raw = hash === undefined ? undefined : await source.block(hash, signal);
        if (hash === undefined || raw === undefined) return undefined;
        waitingBytes += raw.length;
        return { height, hash, raw };
      } catch (error) {
        if (!isHemidError(error) || !OVERLOADED.has(error.code) || attempt === ATTEMPTS || signal?.aborted === true) throw error;
        inFlight = Math.max(1, inFlight >> 1);
        log.debug({ code: error.code, height, inFlight, delayMs }, 'bitcoin source is overloaded');
        await clock.sleep(delayMs, signal);
      }
    }
  }

  try {
    for (;;) {
      while (next <= to && queue.length < inFlight && (queue.length === 0 || waitingBytes < MAX_WAITING_BYTES)) {
        const fetching = fetchOne(next);
        // Thrown where it is taken, in its turn.
        fetching.catch(() => undefined);
        queue.push(fetching);
        next += 1;
      }
      const first = queue.shift();
      if (first === undefined) return;
      const block = await first;
      if (block === undefined) return;
      waitingBytes -= block.raw.length;
      yield block;
    }
  } finally {
    await Promise.allSettled(queue);
  }
}
