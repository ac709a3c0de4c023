import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  timeoutMs: number;
  /** What is waited for, for the error. */
  what: string | (() => string);
  pollMs?: number;
}

/** Polls until `probe` gives a value that is not `undefined` or `false`; for whole processes only. */
export async function waitFor<T>(probe: () => Promise<T | undefined | false> | T | undefined | false, options: WaitOptions): Promise<T> {
  const deadline = Date.now() + options.timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value as T;
    if (Date.now() > deadline) {
      throw new Error(`waited ${options.timeoutMs} ms in vain for ${typeof options.what === 'string' ? options.what : options.what()}`);
    }
    await sleep(options.pollMs ?? 50);
  }
}
