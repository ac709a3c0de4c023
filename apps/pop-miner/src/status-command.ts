import { isHemidError } from '@hemid/protocol';
import type { Clock } from '@hemid/runtime';
import { httpAddressOf, type StatusConfig } from './config.ts';
import type { DaemonStatus } from './daemon-status.ts';
import { fail } from './errors.ts';
import { toUrl } from './http-address.ts';
import { renderStatus } from './status-screen.ts';

export interface StatusDeps {
  clock: Clock;
  /** Prints a text as it is. */
  write: (text: string) => void;
}

const TIMEOUT_MS = 5000;
const WATCH_MS = 2000;
/** Cursor home, and everything below it away. */
const CLEAR = '\u001b[H\u001b[J';

/**
 * `popmd status`: asks the daemon that runs and shows one screen, again and again with --watch.
 *
 * @throws `popmd/config` without an address, `popmd/not-running` (retry).
 */
export async function runStatus(config: StatusConfig, { clock, write }: StatusDeps): Promise<void> {
  const address = httpAddressOf(config);
  if (address === undefined) throw fail('popmd/config', 'popmd status needs --http-address, where the running popmd was told to listen');
  const url = `${toUrl(address)}/status`;
  const show = async (): Promise<string> => {
    const text = await readStatus(url);
    return config.json ? text : renderStatus(JSON.parse(text) as DaemonStatus, clock.now());
  };
  if (!config.watch) return write(await show());
  for (;;) {
    const screen = await show().catch((error: unknown) => {
      if (!isHemidError(error, 'popmd/not-running')) throw error;
      return `${error.message}\n`;
    });
    write(`${CLEAR}${screen}`);
    await clock.sleep(WATCH_MS);
  }
}

async function readStatus(url: string): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (cause) {
    throw fail('popmd/not-running', `no popmd answers at ${url}: is it running, with --http-address?`, { cause });
  }
  if (response.ok) return response.text();
  throw fail('popmd/not-running', `what answers at ${url} is no popmd (HTTP ${response.status})`);
}
