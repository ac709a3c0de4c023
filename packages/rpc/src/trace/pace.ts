import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Observer } from '@hemid/hvm';
import { fail } from '../errors.ts';

/** Steps before other work has its turn. */
const STEPS_PER_TURN = 2048;

/** An observer that lets other work have its turn now and then, and gives up when nobody waits any more. */
export function pace(observer: Observer, isOver: () => boolean): Observer {
  let steps = 0;
  return {
    ...observer,
    async step(step) {
      steps += 1;
      if (steps % STEPS_PER_TURN === 0) {
        await nextTurn();
        if (isOver()) throw fail('rpc/timeout', 'nobody waits for this trace any more');
      }
      await observer.step?.(step);
    },
  };
}
