import { isHemidError } from '@hemid/protocol';
import { type ConfigSchema, describeConfig, loadConfig } from '@hemid/runtime';
import type { z } from 'zod';
import { VERSION } from './version.ts';

const PREFIX = 'HEMID';

const USAGE = `hemid ${VERSION}: a full node of a Bitcoin-secured Ethereum L2

usage: hemid <command> [options]

  hemid dev                            a development network in one process: Bitcoin, sequencer, PoP miner, RPC
  hemid dev deposit <address> <sats>   pays the vault of a running development network
  hemid node                           a node of a network: --role sequencer or --role verifier
  hemid custodian                      a verifier that holds a key of the vault: pays withdrawals together with the others
  hemid custodian status               what waits and why, who has not signed, what is wrong; also pause and resume, all with --data
  hemid tunnel deposit                 what a Bitcoin wallet has to pay for a deposit: address, output, URI, QR code, PSBT
  hemid db <command>                   looks at, checks, moves and repairs a node's database; hemid db --help lists how
  hemid explain <id>                   tells where a deposit, a transaction or a block comes from, link by link
  hemid prove <id> -o <file>           writes the proof of it to a file
  hemid verify <file>                  checks such a file offline
  hemid spec new                       writes the chain spec of a new network, with its Bitcoin headers from a bitcoind
  hemid <command> --help               the options of a command
  hemid --version
`;

const say = (text: string): number => {
  process.stdout.write(text);
  return 0;
};

/** A word of the command line and those after it. */
interface Call {
  argv: readonly string[];
  env: NodeJS.ProcessEnv;
}

/** A command with options: what its help says, and what it does with them. @returns the exit code. */
interface Configured<S extends ConfigSchema> {
  title: string;
  schema: S;
  example: string;
  run(config: z.output<S>): Promise<number>;
}

const wantsHelp = (argv: readonly string[]): boolean => argv.includes('--help') || argv.includes('-h');

async function configured<S extends ConfigSchema>({ argv, env }: Call, { title, schema, example, run }: Configured<S>): Promise<number> {
  if (!wantsHelp(argv)) return run(loadConfig(schema, { argv, env, envPrefix: PREFIX }) as z.output<S>);
  const options = describeConfig(schema, PREFIX);
  return say(
    `${title}\n\noptions, each also as an environment variable or a key of the JSON file named by --config:\n${options}\n\nexample:\n  ${example}\n`,
  );
}

async function dev(call: Call): Promise<number> {
  const { argv } = call;
  if (argv[0] === 'deposit') {
    const flag = argv.indexOf('--data');
    const data = flag === -1 ? '.hemid-dev' : (argv[flag + 1] ?? '');
    const { runDevDeposit } = await import('./dev-deposit.ts');
    return say(`${await runDevDeposit(argv.slice(1, 3), data)}\n`);
  }
  const { devConfig } = await import('./config.ts');
  return configured(call, {
    title: 'hemid dev: a development network',
    schema: devConfig,
    example: 'npm start -- --fresh',
    run: async (config) => (await (await import('./dev-command.ts')).runDev(config)).exitCode,
  });
}

async function node(call: Call): Promise<number> {
  const { nodeConfig } = await import('./config.ts');
  return configured(call, {
    title: 'hemid node: a node of a network',
    schema: nodeConfig,
    example:
      'hemid node --role verifier --chain .hemid-dev/chain.json --upstream http://127.0.0.1:8545 --bitcoind http://127.0.0.1:18443 --rpc-port 8546',
    run: async (config) => (await (await import('./node-command.ts')).runNode(config)).exitCode,
  });
}

async function custodian(call: Call): Promise<number> {
  const [word = '', ...rest] = call.argv;
  const [{ custodianConfig, custodianDeskConfig }, { CUSTODIAN_VERBS }] = await Promise.all([import('./config.ts'), import('./custodian-desk.ts')]);
  const verb = Object.hasOwn(CUSTODIAN_VERBS, word) ? CUSTODIAN_VERBS[word] : undefined;
  if (verb !== undefined) {
    return configured(
      { argv: rest, env: call.env },
      {
        title: 'hemid custodian status, pause, resume',
        schema: custodianDeskConfig,
        example: 'hemid custodian pause --data /var/lib/hemid --reason "we look into withdrawal 12"',
        run: async ({ data, reason }) => say(`${verb(data, reason)}\n`),
      },
    );
  }
  return configured(call, {
    title: 'hemid custodian: pays withdrawals',
    schema: custodianConfig,
    example:
      'hemid custodian --chain chain.json --upstream http://127.0.0.1:8545 --bitcoind http://127.0.0.1:8332 --vault-keys 02…,03…,02… --vault-required 2 --custodian-key-file key --peers http://10.0.0.2:8550,http://10.0.0.3:8550 --exchange-secret-file secret',
    run: async (config) => (await (await import('./custodian-command.ts')).runCustodian(config)).exitCode,
  });
}

async function tunnel({ argv, env }: Call): Promise<number> {
  if (argv[0] !== 'deposit' && !wantsHelp(argv)) return unknown('tunnel');
  const { depositConfig, runTunnelDeposit } = await import('./deposit-command.ts');
  return configured(
    { argv: argv.slice(1), env },
    {
      title: 'hemid tunnel deposit: what a Bitcoin wallet has to pay for a deposit; nothing is sent',
      schema: depositConfig,
      example:
        'hemid tunnel deposit --chain chain.json --to 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --amount 0.01 --bitcoind http://127.0.0.1:8332 --wallet treasury',
      run: async (config) => say(`${await runTunnelDeposit(config)}\n`),
    },
  );
}

async function provenance(name: string, { argv, env }: Call): Promise<number> {
  const { runProvenance } = await import('./provenance-command.ts');
  return say(`${await runProvenance(name, argv, env)}\n`);
}

async function spec({ argv, env }: Call): Promise<number> {
  if (argv[0] !== 'new' && !wantsHelp(argv)) return unknown('spec');
  const { runSpecNew, specConfig } = await import('./spec-command.ts');
  return configured(
    { argv: argv.slice(1), env },
    {
      title: 'hemid spec new: the chain spec of a new network',
      schema: specConfig,
      example:
        'hemid spec new --network mainnet --height 840000 --bitcoind http://127.0.0.1:8332 --cookie ~/.bitcoin/.cookie --template mine.json --out chain.json --dump /data/unspent.dat',
      run: async (config) => say(`${await runSpecNew(config)}\n`),
    },
  );
}

function unknown(command: string): number {
  process.stderr.write(`hemid: unknown command "${command}"\n\n${USAGE}`);
  return 2;
}

const usage = async (): Promise<number> => say(USAGE);
const version = async (): Promise<number> => say(`${VERSION}\n`);

/** Each command loads what it needs when it is called: a proof is checked without a node's database and servers. */
const COMMANDS: Readonly<Record<string, (call: Call) => Promise<number>>> = {
  dev,
  node,
  custodian,
  db: async ({ argv, env }) => (await import('./db-command.ts')).runDb(argv, env),
  explain: (call) => provenance('explain', call),
  prove: (call) => provenance('prove', call),
  verify: (call) => provenance('verify', call),
  spec,
  tunnel,
  version,
  '--version': version,
  help: usage,
  '--help': usage,
  '-h': usage,
};

async function dispatch(words: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [command = 'help', ...argv] = words;
  const run = Object.hasOwn(COMMANDS, command) ? COMMANDS[command] : undefined;
  return run === undefined ? unknown(command) : run({ argv, env });
}

async function main(): Promise<number> {
  try {
    return await dispatch(process.argv.slice(2), process.env);
  } catch (error) {
    if (!isHemidError(error)) throw error;
    process.stderr.write(`hemid: ${error.message} (${error.code})\n`);
    return error.severity === 'fatal' ? 2 : 1;
  }
}

// Idle connections to the Bitcoin node would keep the process alive for some seconds.
process.exit(await main());
