import type { Clock } from '@hemid/runtime';
import { fail } from './errors.ts';

/** Waits for an answer; @throws `rpc/timeout` after `ms` milliseconds, when `stop` is aborted too. */
export async function withTimeout<T>(answer: Promise<T>, { clock, ms, stop }: { clock: Clock; ms: number; stop: AbortController }): Promise<T> {
  const done = new AbortController();
  async function tooLate(): Promise<never> {
    await clock.sleep(ms, done.signal);
    stop.abort();
    throw fail('rpc/timeout', `request timed out after ${ms} ms: ask for less at once`);
  }
  try {
    return await Promise.race([answer, tooLate()]);
  } finally {
    done.abort();
  }
}
