import { isHemidError } from '@hemid/protocol';
import type { Clock } from './clock.ts';

/** A running loop: `done` settles when it has ended, with the error that ended it, if one did. */
export interface Loop {
  readonly done: Promise<void>;
}

/**
 * Calls `fn` every `ms` milliseconds (measured from the end of one call to the start of the next) until `signal`
 * aborts. The first call comes at once. A throw ends the loop and rejects `done`: who started the loop decides.
 */
export function every(clock: Clock, ms: number, fn: () => Promise<void> | void, signal: AbortSignal): Loop {
  async function run(): Promise<void> {
    while (!signal.aborted) {
      await fn();
      await clock.sleep(ms, signal);
    }
  }
  const done = run();
  done.catch(() => undefined);
  return { done };
}

/**
 * Runs `fn` until it no longer throws a `retry` error, waiting `delayMs`, then twice that, up to `maxDelayMs`,
 * between attempts. Any other error is rethrown; so is the last one when `signal` aborts.
 */
export async function retry<T>(
  clock: Clock,
  options: { delayMs: number; maxDelayMs: number; onRetry?: (error: unknown) => void },
  fn: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  let delayMs = options.delayMs;
  for (;;) {
    try {
      return await fn();
    } catch (error) {
      if (!isHemidError(error) || error.severity !== 'retry' || signal.aborted) throw error;
      options.onRetry?.(error);
      await clock.sleep(delayMs, signal);
      delayMs = Math.min(delayMs * 2, options.maxDelayMs);
    }
  }
}
