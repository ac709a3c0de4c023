import { isHemidError } from '@hemid/protocol';
import { describeConfig, loadConfig } from '@hemid/runtime';
import { custodianConfig, custodianDeskConfig, devConfig, nodeConfig } from './config.ts';
import { runCustodian } from './custodian-command.ts';
import { CUSTODIAN_VERBS } from './custodian-desk.ts';
import { runDb } from './db-command.ts';
import { runDev } from './dev-command.ts';
import { runDevDeposit } from './dev-deposit.ts';
import { runNode } from './node-command.ts';
import { PROVENANCE_COMMANDS, runProvenance } from './provenance-command.ts';
import { runSpecNew, specConfig } from './spec-command.ts';
import { VERSION } from './version.ts';

const PREFIX = 'HEMID';

const USAGE = `hemid ${VERSION}: a full node of a Bitcoin-secured Ethereum L2

usage: hemid <command> [options]

  hemid dev                            a development network in one process: Bitcoin, sequencer, PoP miner, RPC
  hemid dev deposit <address> <sats>   pays the vault of a running development network
  hemid node                           a node of a network: --role sequencer or --role verifier
  hemid custodian                      a verifier that holds a key of the vault: pays withdrawals together with the others
  hemid custodian status               what waits and why, who has not signed, what is wrong; also pause and resume, all with --data
  hemid db <command>                   looks at, checks, moves and repairs a node's database; hemid db --help lists how
  hemid explain <id>                   tells where a deposit, a transaction or a block comes from, link by link
  hemid prove <id> -o <file>           writes the proof of it to a file
  hemid verify <file>                  checks such a file offline
  hemid spec new                       writes the chain spec of a new network, with its Bitcoin headers from a bitcoind
  hemid <command> --help               the options of a command
  hemid --version
`;

function help(title: string, schema: Parameters<typeof describeConfig>[0], example: string): string {
  return `${title}\n\noptions, each also as an environment variable or a key of the JSON file named by --config:\n${describeConfig(schema, PREFIX)}\n\nexample:\n  ${example}\n`;
}

async function dispatch(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const [command, ...rest] = argv;
  const wantsHelp = rest.includes('--help') || rest.includes('-h');
  const sources = { argv: rest, env, envPrefix: PREFIX };
  if (command === 'dev' && rest[0] === 'deposit') {
    const flag = rest.indexOf('--data');
    const data = flag === -1 ? '.hemid-dev' : (rest[flag + 1] ?? '');
    process.stdout.write(`${await runDevDeposit(rest.slice(1, 3), data)}\n`);
    return 0;
  }
  if (command === 'dev') {
    if (wantsHelp) process.stdout.write(help('hemid dev: a development network', devConfig, 'npm start -- --fresh'));
    else return (await runDev(loadConfig(devConfig, sources))).exitCode;
    return 0;
  }
  if (command === 'node') {
    const example =
      'hemid node --role verifier --chain .hemid-dev/chain.json --upstream http://127.0.0.1:8545 --bitcoind http://127.0.0.1:18443 --rpc-port 8546';
    if (wantsHelp) process.stdout.write(help('hemid node: a node of a network', nodeConfig, example));
    else return (await runNode(loadConfig(nodeConfig, sources))).exitCode;
    return 0;
  }
  const verb = command === 'custodian' && Object.hasOwn(CUSTODIAN_VERBS, rest[0] ?? '') ? CUSTODIAN_VERBS[rest[0] ?? ''] : undefined;
  if (verb !== undefined) {
    const example = 'hemid custodian pause --data /var/lib/hemid --reason "we look into withdrawal 12"';
    if (wantsHelp) process.stdout.write(help('hemid custodian status, pause, resume', custodianDeskConfig, example));
    else {
      const { data, reason } = loadConfig(custodianDeskConfig, { ...sources, argv: rest.slice(1) });
      process.stdout.write(`${verb(data, reason)}\n`);
    }
    return 0;
  }
  if (command === 'custodian') {
    const example =
      'hemid custodian --chain chain.json --upstream http://127.0.0.1:8545 --bitcoind http://127.0.0.1:8332 --vault-keys 02…,03…,02… --vault-required 2 --custodian-key-file key --peers http://10.0.0.2:8550,http://10.0.0.3:8550 --exchange-secret-file secret';
    if (wantsHelp) process.stdout.write(help('hemid custodian: pays withdrawals', custodianConfig, example));
    else return (await runCustodian(loadConfig(custodianConfig, sources))).exitCode;
    return 0;
  }
  if (command === 'db') return runDb(rest, env);
  if (command !== undefined && Object.hasOwn(PROVENANCE_COMMANDS, command)) {
    process.stdout.write(`${await runProvenance(command, rest, env)}\n`);
    return 0;
  }
  if (command === 'spec' && (rest[0] === 'new' || wantsHelp)) {
    const example =
      'hemid spec new --network mainnet --height 840000 --bitcoind http://127.0.0.1:8332 --cookie ~/.bitcoin/.cookie --template mine.json --out chain.json --dump /data/unspent.dat';
    if (wantsHelp) process.stdout.write(help('hemid spec new: the chain spec of a new network', specConfig, example));
    else process.stdout.write(`${await runSpecNew(loadConfig(specConfig, { ...sources, argv: rest.slice(1) }))}\n`);
    return 0;
  }
  if (command === '--version' || command === 'version') {
    process.stdout.write(`${VERSION}\n`);
    return 0;
  }
  const isHelp = command === undefined || command === '--help' || command === '-h' || command === 'help';
  (isHelp ? process.stdout : process.stderr).write(isHelp ? USAGE : `hemid: unknown command "${command}"\n\n${USAGE}`);
  return isHelp ? 0 : 2;
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
