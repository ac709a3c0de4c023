import { setImmediate as afterEvents } from 'node:timers/promises';

/** Lets everything else that waits have its turn: long work calls it every few milliseconds. */
export function nextTurn(): Promise<void> {
  return afterEvents();
}
