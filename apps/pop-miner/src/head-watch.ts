import { isHemidError } from '@hemid/protocol';
import { type Clock, every, type Loop, type Service } from '@hemid/runtime';

/** The best block of a chain. */
export interface Head {
  height: number;
  /** As its explorers print it. */
  hash: string;
  /** Seconds since the Unix epoch. */
  time: number;
}

/** What was last seen of a node. */
export interface Sight {
  /** `undefined` until it answered once; the last known one while it does not. */
  head: Head | undefined;
  /** Why it does not answer; `undefined` while it does. */
  trouble: string | undefined;
}

/** The heads of both chains, looked at every few seconds whatever the miner does. */
export interface HeadWatch extends Service {
  bitcoin(): Sight;
  l2(): Sight;
}

export interface HeadWatchDeps {
  readBitcoin: (signal?: AbortSignal) => Promise<Head>;
  readL2: (signal?: AbortSignal) => Promise<Head>;
  clock: Clock;
  onFailure: (error: unknown) => void;
}

/** As often as the public miner. */
const POLL_MS = 5000;

/** Creates the watch; it knows nothing before it was started. */
export function createHeadWatch({ readBitcoin, readL2, clock, onFailure }: HeadWatchDeps): HeadWatch {
  const unseen: Sight = { head: undefined, trouble: 'was not asked yet' };
  let seen = { bitcoin: unseen, l2: unseen };
  let loop: Loop | undefined;

  async function look(read: HeadWatchDeps['readL2'], before: Sight, signal: AbortSignal): Promise<Sight> {
    try {
      return { head: await read(signal), trouble: undefined };
    } catch (error) {
      // Whatever is wrong with a node, the watch says so and goes on.
      if (!isHemidError(error)) throw error;
      return { head: before.head, trouble: error.message };
    }
  }

  return {
    name: 'head-watch',
    bitcoin: () => seen.bitcoin,
    l2: () => seen.l2,
    start(signal) {
      async function lookAtBoth(): Promise<void> {
        const [bitcoin, l2] = await Promise.all([look(readBitcoin, seen.bitcoin, signal), look(readL2, seen.l2, signal)]);
        seen = { bitcoin, l2 };
      }
      loop = every(clock, POLL_MS, lookAtBoth, signal);
      loop.done.catch(onFailure);
    },
    async stop() {
      await loop?.done.catch(() => undefined);
    },
  };
}
