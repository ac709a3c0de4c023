import { isHemidError } from '@hemid/protocol';
import { createLogger, describeConfig, type Logger, loadConfig } from '@hemid/runtime';
import { type PopmdConfig, popmdConfig } from './config.ts';
import { createPopmd } from './popmd.ts';

const ENV_PREFIX = 'POPM';
const BAD_CONFIG = 2;

const help = (): string => `popmd publishes the keystones of an L2 chain in Bitcoin.

Options, and the environment variables that set them:
${describeConfig(popmdConfig, ENV_PREFIX)}
  --config  a JSON file with these options, by their camelCase names  [${ENV_PREFIX}_CONFIG]
`;

function readConfig(argv: readonly string[]): PopmdConfig | undefined {
  try {
    return loadConfig(popmdConfig, { argv, env: process.env, envPrefix: ENV_PREFIX });
  } catch (error) {
    if (!isHemidError(error, 'runtime/config')) throw error;
    process.stderr.write(`popmd: ${error.message}\n`);
    return undefined;
  }
}

/** Runs until a signal comes or the miner fails. @returns the exit code. */
async function run(config: PopmdConfig): Promise<number> {
  const log = createLogger({ level: config.logLevel, format: process.stderr.isTTY ? 'pretty' : 'json' });
  let end: (code: number) => void = () => undefined;
  const ended = new Promise<number>((resolve) => (end = resolve));
  const fail = (error: unknown): void => {
    logFailure(log, error);
    end(1);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end(0));
  const popmd = createPopmd(config, { log, onFailure: fail });
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

async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    process.stdout.write(help());
    return 0;
  }
  const config = readConfig(argv);
  return config === undefined ? BAD_CONFIG : run(config);
}

// Idle connections would keep the process alive for some seconds.
process.exit(await main(process.argv.slice(2)));
