import { fromBigEndian, toHex } from '@hemid/protocol';
import type { TracerFactory } from './tracer.ts';

const SELECTOR = 4;
/** Calls to precompiles have no selector. */
const LAST_PRECOMPILE = 0x1ffn;

/** How often each function was called: selector and size of its arguments, as `4byteTracer` shows them. */
export const fourByteTracer: TracerFactory = () => {
  const counts: Record<string, number> = {};
  return {
    observer: {
      enter({ to, input }) {
        if (to === undefined || input.length < SELECTOR || fromBigEndian(to) <= LAST_PRECOMPILE) return;
        const key = `${toHex(input.subarray(0, SELECTOR))}-${input.length - SELECTOR}`;
        counts[key] = (counts[key] ?? 0) + 1;
      },
    },
    result: () => counts,
  };
};
