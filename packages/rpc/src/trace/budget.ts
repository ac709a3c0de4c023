import { fail } from '../errors.ts';

/** Bytes of an answer, about, that a trace may grow to: it is held in memory whole. */
const MOST = 64_000_000;

/** Counts what the traces of one call take together; the result throws `rpc/limit` when that is too much. */
export function createBudget(): (bytes: number) => void {
  let left = MOST;
  return (bytes) => {
    left -= bytes;
    if (left < 0) {
      throw fail(
        'rpc/limit',
        'the trace is too large: ask for one transaction, for fewer steps (limit), without stack and memory, or for a callTracer',
      );
    }
  };
}
