import { isHemidError } from '@hemid/protocol';
import { type Clock, every, type Logger, type Loop, type Service } from '@hemid/runtime';

export interface ProductionDeps {
  clock: Clock;
  log: Logger;
  /** Builds a block now. */
  build(): Promise<unknown>;
  /** Called with the error that ended the loop. */
  onFailure: (error: unknown) => void;
}

/** Blocks of a development chain that come by themselves, every so many seconds. */
export interface Production extends Service {
  /** Seconds between blocks; 0: none comes by itself. */
  setInterval(seconds: number): void;
  interval(): number;
}

/** How long the loop sleeps when no block comes by itself; it is woken. */
const LONG_MS = 3_600_000;

/** Creates the {@link Production} of a development chain; blocks come at multiples of the interval since `originMs`. */
export function createProduction({ clock, log, build, onFailure }: ProductionDeps, options: { originMs: number; seconds: number }): Production {
  let { seconds } = options;
  let waiting = new AbortController();
  let loop: Loop | undefined;

  async function round(signal: AbortSignal): Promise<void> {
    waiting = new AbortController();
    const intervalMs = seconds * 1000;
    const waitMs = seconds === 0 ? LONG_MS : intervalMs - ((clock.now() - options.originMs) % intervalMs);
    await clock.sleep(waitMs, AbortSignal.any([signal, waiting.signal]));
    if (signal.aborted || waiting.signal.aborted || seconds === 0) return;
    try {
      await build();
    } catch (error) {
      if (!isHemidError(error) || error.severity !== 'retry') throw error;
      log.warn({ code: error.code }, `no block: ${error.message}`);
    }
  }

  return {
    name: 'sequencer',
    setInterval(next) {
      seconds = next;
      waiting.abort();
    },
    interval: () => seconds,
    start(signal) {
      loop = every(clock, 0, () => round(signal), signal);
      loop.done.catch(onFailure);
    },
    async stop() {
      await loop?.done.catch(() => undefined);
    },
  };
}
