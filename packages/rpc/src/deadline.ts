import type { Clock } from '@hemid/runtime';
import { fail } from './errors.ts';

/** Calls that are given up when they take too long. */
export interface Deadlines {
  /** Waits for an answer; @throws `rpc/timeout` some time after `ms` milliseconds. */
  keep<T>(answer: Promise<T>, ms: number): Promise<T>;
}

/** How often it is looked for calls that are late: one timer for all, since a timer for each costs more than most calls. */
const TICK_MS = 250;

/** Creates the {@link Deadlines} of a clock; nothing sleeps while no call waits. */
export function createDeadlines(clock: Clock): Deadlines {
  const open = new Set<{ atMs: number; giveUp(): void }>();
  let isWatching = false;

  async function watch(): Promise<void> {
    isWatching = true;
    while (open.size > 0) {
      await clock.sleep(TICK_MS);
      for (const call of open) if (call.atMs <= clock.now()) call.giveUp();
    }
    isWatching = false;
  }

  return {
    keep: (answer, ms) =>
      new Promise((resolve, reject) => {
        const call = {
          atMs: clock.now() + ms,
          giveUp() {
            open.delete(call);
            reject(fail('rpc/timeout', `request timed out after ${ms} ms: ask for less at once`));
          },
        };
        open.add(call);
        if (!isWatching) void watch();
        answer.then(resolve, reject).finally(() => open.delete(call));
      }),
  };
}
