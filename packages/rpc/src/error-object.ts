import { toDigits } from '@hemid/protocol';
import type { Clock } from '@hemid/runtime';
import type { Json } from './wire.ts';

/** The error object of the public network (protocol section 12); one with a trace stands in the log too. */
export function errorObject(message: string, { clock, trace }: { clock: Clock; trace?: Uint8Array }): { [field: string]: Json } {
  const timestamp = Math.floor(clock.now() / 1000);
  return trace === undefined ? { timestamp, message } : { timestamp, trace: toDigits(trace), message };
}
