import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** A node that is measured, a process. */
export interface Peer {
  url: string;
  pid: number;
  stop(): Promise<void>;
}

/** Ends a process, by force after twenty seconds. */
export async function end(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await ended;
  clearTimeout(timer);
}

/** Waits for a process to be ready. @throws when it ends first, or takes two minutes. */
export async function waitFor(what: string, child: ChildProcess, isThere: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1200; tries += 1) {
    if (child.exitCode !== null) throw new Error(`${what} ended with ${child.exitCode}`);
    if (await isThere().catch(() => false)) return;
    await sleep(100);
  }
  child.kill('SIGKILL');
  throw new Error(`${what} did not start`);
}
