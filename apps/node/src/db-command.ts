import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ChainSpec } from '@hemid/protocol';
import { type Clock, type ConfigSchema, describeConfig, loadConfig, systemClock } from '@hemid/runtime';
import { openStore } from '@hemid/store';
import { runDbCompact } from './db-compact.ts';
import {
  type DbExportConfig,
  type DbImportConfig,
  type DbVerifyConfig,
  dbChainConfig,
  dbConfig,
  dbExportConfig,
  dbImportConfig,
  dbVerifyConfig,
} from './db-config.ts';
import { runDbExport } from './db-export.ts';
import { runDbImport } from './db-import.ts';
import type { DbContext, DbEnd, Progress } from './db-node.ts';
import { runDbRollback } from './db-rollback.ts';
import { runDbStats } from './db-stats.ts';
import { runDbVerify } from './db-verify.ts';
import { fail } from './errors.ts';
import { splitOperand } from './operand.ts';
import { readChainSpec } from './spec-template.ts';

/** What a verb is given besides its configuration. */
interface DbInput {
  context: DbContext;
  /** Where the database is. */
  directory: string;
  /** FILE or N. */
  operand: string;
  spec(): ChainSpec;
}

interface Verb {
  about: string;
  operand?: { name: string; about: string };
  schema: ConfigSchema;
  example: string;
  /** Makes the database when there is none; the others refuse. */
  creates?: boolean;
  run(input: DbInput, config: unknown): Promise<DbEnd>;
}

const PREFIX = 'HEMID';
const PROGRESS_MS = 5_000;

const file = { name: 'FILE', about: 'the file of blocks' };

const VERBS: Record<string, Verb> = {
  stats: {
    about: 'rows and bytes of every table, the head, and where state and Bitcoin stand',
    schema: dbConfig,
    example: 'hemid db stats --data .hemid',
    run: ({ context }) => runDbStats(context),
  },
  verify: {
    about: 'executes every canonical block again and compares every root and every row that follows from it',
    schema: dbVerifyConfig,
    example: 'hemid db verify --data .hemid --chain configs/regtest.json --from 1000',
    run: ({ context, spec }, config) => runDbVerify(context, { spec: spec(), config: config as DbVerifyConfig }),
  },
  export: {
    about: 'writes canonical blocks, and the Bitcoin blocks they need, to a file with checksums',
    operand: file,
    schema: dbExportConfig,
    example: 'hemid db export blocks.bin --data .hemid --chain configs/regtest.json',
    run: ({ context, spec, operand }, config) => runDbExport(context, { spec: spec(), path: operand, config: config as DbExportConfig }),
  },
  import: {
    about: 'verifies and executes the blocks of a file; goes on where it was stopped',
    operand: file,
    schema: dbImportConfig,
    example: 'hemid db import blocks.bin --data .hemid --chain configs/regtest.json',
    creates: true,
    run: ({ context, spec, operand }, config) => runDbImport(context, { spec: spec(), path: operand, config: config as DbImportConfig }),
  },
  rollback: {
    about: 'takes the last N canonical blocks back; slots that were sealed stay sealed',
    operand: { name: 'N', about: 'how many blocks' },
    schema: dbChainConfig,
    example: 'hemid db rollback 10 --data .hemid --chain configs/regtest.json',
    run: ({ context, spec, operand }) => runDbRollback(context, { spec: spec(), count: toCount(operand) }),
  },
  compact: {
    about: 'lets the database rewrite its files without what was deleted or replaced',
    schema: dbConfig,
    example: 'hemid db compact --data .hemid',
    run: ({ context, directory }) => runDbCompact(context, directory),
  },
};

const ENDS = 'exit codes: 0 done and right; 1 something is wrong with the blocks, the file or the range asked for; 2 it could not be done at all';

const usageOf = (name: string, { operand }: Verb): string => `hemid db ${name}${operand === undefined ? '' : ` ${operand.name}`}`;

/** The text of `hemid db --help`. */
export function describeDb(): string {
  const rows = Object.entries(VERBS).map(([name, verb]) => `  ${usageOf(name, verb).padEnd(22)}  ${verb.about}`);
  return `hemid db: looks at, moves and repairs the database of a node that does not run\n\n${rows.join('\n')}\n\n  hemid db <command> --help  the options of a command\n\n${ENDS}\n`;
}

function describeVerb(name: string, verb: Verb): string {
  const operand = verb.operand === undefined ? '' : `  ${verb.operand.name}  ${verb.operand.about}\n`;
  return `${usageOf(name, verb)}: ${verb.about}\n\n${operand}options, each also as an environment variable or a key of the JSON file named by --config:\n${describeConfig(verb.schema, PREFIX)}\n\nexample:\n  ${verb.example}\n\n${ENDS}\n`;
}

function toCount(text: string): bigint {
  if (!/^[0-9]{1,18}$/.test(text)) throw fail('node/config', `"${text}" is no number of blocks`);
  return BigInt(text);
}

function readOperand(name: string, verb: Verb, operands: readonly string[]): string {
  const wanted = verb.operand === undefined ? 0 : 1;
  if (operands.length === wanted) return operands[0] ?? '';
  const what = verb.operand === undefined ? `takes no "${operands[0]}"` : `needs one ${verb.operand.name}, ${verb.operand.about}`;
  throw fail('node/config', `hemid db ${name} ${what}. Try --help.`);
}

function readSpec({ data, chain }: { data: string; chain?: string | undefined }): ChainSpec {
  const path = chain ?? join(data, 'chain.json');
  if (chain === undefined && !existsSync(path)) throw fail('node/config', `there is no ${path}: give --chain, the chain spec of this database`);
  return readChainSpec(path);
}

/** A line to standard error every few seconds. */
function createProgress(name: string, clock: Clock): Progress {
  let since = { ms: clock.now(), number: undefined as bigint | undefined };
  return (number, last) => {
    since.number ??= number;
    const ms = clock.now() - since.ms;
    if (ms < PROGRESS_MS) return;
    const rate = Math.round((Number(number - since.number) / ms) * 1000);
    process.stderr.write(`${name}: block ${number} of ${last}, ${rate} blocks/s\n`);
    since = { ms: clock.now(), number };
  };
}

function abortOnSignal(name: string): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stop.abort(fail('node/interrupted', `${name} was stopped by ${signal}`)));
  }
  return stop.signal;
}

/** `hemid db <command>`: @returns the exit code. The answer ends with one line that sums it up. */
export async function runDb(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [name = '--help', ...rest] = argv;
  const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  if (verb === undefined) {
    const isHelp = ['--help', '-h', 'help'].includes(name);
    (isHelp ? process.stdout : process.stderr).write(isHelp ? describeDb() : `hemid: unknown command "db ${name}"\n\n${describeDb()}`);
    return isHelp ? 0 : 2;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(describeVerb(name, verb));
    return 0;
  }
  const { operands, options } = splitOperand(rest, ['--archive']);
  const operand = readOperand(name, verb, operands);
  const config = loadConfig(verb.schema, { argv: options, env, envPrefix: PREFIX }) as { data: string; chain?: string | undefined };
  const directory = join(config.data, 'node');
  if (verb.creates === true) mkdirSync(config.data, { recursive: true });
  else if (!existsSync(directory)) throw fail('node/config', `there is no database in ${config.data} (${directory} is not there): give --data`);
  // A wrong chain spec is named before a database is made for it.
  const spec = 'chain' in verb.schema.shape ? readSpec(config) : undefined;
  const store = await openStore(directory);
  const context: DbContext = { store, clock: systemClock, write, progress: createProgress(name, systemClock), signal: abortOnSignal(name) };
  try {
    const end = await verb.run({ context, directory, operand, spec: () => spec as ChainSpec }, config);
    write(end.line);
    return end.isWrong === true ? 1 : 0;
  } finally {
    await store.close();
  }
}
