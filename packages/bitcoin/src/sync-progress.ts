import type { Clock, Logger } from '@hemid/runtime';

/** Fewer blocks than this are not worth a line. */
const MANY_BLOCKS = 100;
const LOG_MS = 5_000;

/** Reports how far a long synchronisation is: call it with each height that is done. */
export function createSyncProgress({ clock, log }: { clock: Clock; log: Logger }, range: { from: number; to: number }): (height: number) => void {
  const startMs = clock.now();
  let lastMs = startMs;
  const isLong = range.to - range.from >= MANY_BLOCKS;
  return (height) => {
    const now = clock.now();
    const isDone = height >= range.to;
    if (!isLong || (now - lastMs < LOG_MS && !isDone)) return;
    lastMs = now;
    const perSecond = (height - range.from + 1) / (Math.max(1, now - startMs) / 1000);
    const fields = {
      height,
      of: range.to,
      blocksPerSecond: Math.round(perSecond * 10) / 10,
      secondsLeft: Math.round((range.to - height) / perSecond),
    };
    log.info(fields, isDone ? 'bitcoin blocks are all here' : 'fetching bitcoin blocks');
  };
}
