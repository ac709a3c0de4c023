import { isHemidError } from '@hemid/protocol';
import { createLogger, type Logger } from '@hemid/runtime';
import type { PopmdConfig } from './config.ts';
import { readKey } from './key.ts';
import { createPopmd } from './popmd.ts';
import type { AskSecret } from './prompt.ts';

/**
 * `popmd run`: mines until a signal comes or the miner fails.
 *
 * @returns the exit code.
 * @throws what reading the key throws.
 */
export async function runPopmd(config: PopmdConfig, { ask }: { ask: AskSecret }): Promise<number> {
  const secret = await readKey(config, ask);
  const log = createLogger({ level: config.logLevel, format: process.stderr.isTTY ? 'pretty' : 'json' });
  let end: (code: number) => void = () => undefined;
  const ended = new Promise<number>((resolve) => (end = resolve));
  const fail = (error: unknown): void => {
    logFailure(log, error);
    end(1);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end(0));
  const popmd = createPopmd(config, { secret, log, onFailure: fail });
  popmd.start().catch(fail);
  const code = await ended;
  await popmd.stop();
  log.info('pop miner stopped');
  return code;
}

function logFailure(log: Logger, error: unknown): void {
  if (isHemidError(error)) log.error({ code: error.code, ...error.details }, error.message);
  else log.error({ err: error }, 'pop miner failed');
}
