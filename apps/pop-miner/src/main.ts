import { isHemidError } from '@hemid/protocol';
import { type ConfigSchema, describeConfig, loadConfig, systemClock, systemRandom } from '@hemid/runtime';
import type { z } from 'zod';
import { initConfig, popmdConfig, statusConfig, sweepConfig } from './config.ts';
import { askSecret } from './prompt.ts';

const ENV_PREFIX = 'POPM';

/** A command: its options, beyond those that all have, and what it does with them. */
interface Command {
  about: string;
  schema: ConfigSchema;
  /** @returns the exit code. */
  run(argv: readonly string[]): Promise<number>;
}

const write = (text: string): void => void process.stdout.write(text);

function command<S extends ConfigSchema>(about: string, schema: S, run: (config: z.output<S>) => Promise<number | undefined>): Command {
  return {
    about,
    schema,
    run: async (argv) => (await run(loadConfig(schema, { argv, env: process.env, envPrefix: ENV_PREFIX }) as z.output<S>)) ?? 0,
  };
}

const COMMANDS: Readonly<Record<string, Command>> = {
  run: command('publishes keystones until it is stopped (what popmd does without a command)', popmdConfig, async (config) => {
    const { runPopmd } = await import('./run-command.ts');
    return runPopmd(config, { ask: askSecret });
  }),
  init: command('makes a key in a new encrypted --keystore, and waits for bitcoin to come', initConfig, async (config) => {
    const [{ runInit }, { connectBitcoin }] = await Promise.all([import('./init-command.ts'), import('./bitcoin.ts')]);
    const deps = { ask: askSecret, clock: systemClock, random: systemRandom, write };
    await runInit(config, { ...deps, connect: (wallet) => connectBitcoin(config, wallet).bitcoin });
    return 0;
  }),
  status: command('shows what the running popmd has and does', statusConfig, async (config) => {
    const { runStatus } = await import('./status-command.ts');
    await runStatus(config, { clock: systemClock, write });
    return 0;
  }),
  sweep: command('sends everything spendable --to an address', sweepConfig, async (config) => {
    const [{ runSweep }, { connectBitcoin }] = await Promise.all([import('./sweep-command.ts'), import('./bitcoin.ts')]);
    await runSweep(config, { ask: askSecret, write, connect: (wallet) => connectBitcoin(config, wallet).bitcoin });
    return 0;
  }),
};

function help(name: string | undefined): string {
  const { about, schema } = COMMANDS[name ?? 'run'] as Command;
  const commands = Object.entries(COMMANDS).map(([word, { about: what }]) => `  popmd ${word.padEnd(6)}  ${what}\n`);
  const title = name === undefined ? `popmd publishes the keystones of an L2 chain in Bitcoin.\n\n${commands.join('')}` : `popmd ${name}: ${about}\n`;
  return `${title}
Options, and the environment variables that set them:
${describeConfig(schema, ENV_PREFIX)}
  --config  a JSON file with these options, by their camelCase names  [${ENV_PREFIX}_CONFIG]
`;
}

async function dispatch(argv: readonly string[]): Promise<number> {
  const word = argv[0]?.startsWith('-') === false ? argv[0] : undefined;
  const chosen = COMMANDS[word ?? 'run'];
  if (argv.includes('--help') || argv.includes('-h') || word === 'help') {
    write(help(chosen === undefined ? undefined : word));
    return 0;
  }
  if (chosen !== undefined) return chosen.run(word === undefined ? argv : argv.slice(1));
  process.stderr.write(`popmd: there is no command "${word}", only ${Object.keys(COMMANDS).join(', ')}\n`);
  return 2;
}

async function main(argv: readonly string[]): Promise<number> {
  try {
    return await dispatch(argv);
  } catch (error) {
    if (!isHemidError(error)) throw error;
    process.stderr.write(`popmd: ${error.message}\n`);
    return error.severity === 'fatal' ? 2 : 1;
  }
}

// Idle connections would keep the process alive for some seconds.
process.exit(await main(process.argv.slice(2)));
