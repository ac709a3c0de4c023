import type { Checkpoint } from '@hemid/chain';
import { fromHex } from '@hemid/protocol';
import { createLimits, type RpcLimits, rpcConfig } from '@hemid/rpc';
import { z } from 'zod';
import type { NodeLimits } from './node.ts';

const port = z.coerce.number().int().min(0).max(65_535);
const log = {
  logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info').describe('least important log lines that are shown'),
  logFormat: z.enum(['pretty', 'json']).default('pretty').describe('pretty for people, json for machines'),
};
const state = {
  archive: z.boolean().default(false).describe('keep the state of every block readable'),
  stateBlocks: z.coerce.number().int().min(64).default(1024).describe('without --archive: blocks below the head whose state stays readable'),
  stateCacheMb: z.coerce
    .number()
    .int()
    .min(8)
    .max(65_536)
    .default(256)
    .describe('memory for rows of the state at the head, MiB: those of about a million accounts have room in 256'),
  poolTransactions: z.coerce
    .number()
    .int()
    .min(64)
    .max(1_000_000)
    .default(32_768)
    .describe('transactions that the pool of a sequencer holds at most'),
};
const admin = {
  adminPort: port.optional().describe('port of the admin_ methods, JSON-RPC with a token; off when left out, 0 = a free one'),
  adminHost: z.string().default('127.0.0.1').describe('address on which the admin port listens'),
  adminTokenFile: z
    .string()
    .optional()
    .describe('file of the token of the admin port, written at the first start (default admin-token in the data directory)'),
};
const rpc = {
  rpcHost: z.string().default('127.0.0.1').describe('address on which JSON-RPC listens'),
  rpcPort: port.default(8545).describe('port of JSON-RPC over HTTP and websocket; 0 = a free one'),
  rpcWorkers: z.coerce
    .number()
    .int()
    .min(0)
    .max(64)
    .default(1)
    .describe('worker threads for traces, simulations and searches for logs, started when they are needed; 0 = all on the main thread'),
  ...rpcConfig.shape,
};

/** `host:port`, `[host]:port` or a port of this machine. */
const listenAddress = z.string().transform((text, context) => {
  const match = /^(?:\[(?<six>[0-9a-fA-F:.]+)\]:|(?<host>[^:[\]]+):)?(?<port>\d{1,5})$/.exec(text);
  const number = Number(match?.groups?.['port'] ?? -1);
  if (match === null || number > 65_535) {
    context.addIssue({ code: 'custom', message: 'must look like 127.0.0.1:8082' });
    return z.NEVER;
  }
  return { host: match.groups?.['six'] ?? match.groups?.['host'] ?? '127.0.0.1', port: number };
});
const compatible = (usual: { tbc: string; finality: string }) => ({
  tbcAddress: listenAddress
    .optional()
    .describe(`host:port of the websocket (/v1/ws) that the public PoP miner and finality daemon take their Bitcoin from${usual.tbc}`),
  finalityAddress: listenAddress
    .optional()
    .describe(`host:port of the public finality daemon's REST route, /v2/keystonefinality/{hash}${usual.finality}`),
});

/** `hemid dev`. */
export const devConfig = z.strictObject({
  data: z.string().default('.hemid-dev').describe('data directory, kept between runs'),
  fresh: z.boolean().default(false).describe('delete the data directory first and start a new network'),
  bitcoind: z
    .string()
    .optional()
    .describe('run on a real bitcoind instead of the embedded one: path of its binary, or URL of a running regtest node'),
  bitcoinRpcPort: port.optional().describe("port of the embedded Bitcoin's RPC (default 18443, a free one if that is taken)"),
  bitcoinBlockSeconds: z.coerce.number().positive().default(3).describe('seconds between Bitcoin blocks'),
  quiet: z.boolean().default(false).describe('no heartbeat lines'),
  automine: z
    .boolean()
    .default(false)
    .describe('a block with each transaction instead of one in each slot, for test suites; evm_setAutomine changes it'),
  ...state,
  ...rpc,
  ...admin,
  ...compatible({
    tbc: ' (default 127.0.0.1:8082, a free port if that is taken)',
    finality: ' (default 127.0.0.1:8080, a free port if that is taken)',
  }),
  ...log,
  logLevel: log.logLevel.default('warn'),
});

/** `hemid node`. */
export const nodeConfig = z.strictObject({
  chain: z.string().describe('chain spec file, e.g. configs/regtest.json'),
  data: z.string().default('.hemid').describe('data directory'),
  role: z.enum(['sequencer', 'verifier']).describe('sequencer: builds blocks; verifier: checks the blocks of an upstream node'),
  upstream: z.url().optional().describe('JSON-RPC URL of the node a verifier fetches blocks from'),
  upstreamPollMs: z.coerce.number().int().min(10).default(500).describe('milliseconds between questions to the upstream'),
  sequencerKey: z
    .string()
    .regex(/^(0x)?[0-9a-fA-F]{64}$/, 'must be 64 hex digits')
    .optional()
    .describe('key that seals, hex; better in the environment than in a flag'),
  sequencerKeyFile: z.string().optional().describe('file that holds the key that seals'),
  bitcoind: z
    .string()
    .transform((list) => list.split(',').map((url) => url.trim()))
    .pipe(z.array(z.url()).min(1))
    .describe('RPC URL of the Bitcoin node, e.g. http://user:password@127.0.0.1:8332; several with commas: the first that works is used'),
  bitcoindCookie: z.string().optional().describe("path of bitcoind's .cookie file, for the URLs without user and password"),
  bitcoindZmq: z
    .string()
    .regex(/^tcp:\/\/.+:\d+$/, 'must look like tcp://127.0.0.1:28332')
    .optional()
    .describe('where the Bitcoin node publishes hashblock (its zmqpubhashblock): new blocks are then seen at once, not at the next poll'),
  bitcoinPollMs: z.coerce.number().int().min(10).default(500).describe('milliseconds between questions to the Bitcoin node'),
  bitcoinStallSeconds: z.coerce
    .number()
    .min(1)
    .default(3600)
    .describe('a Bitcoin node without a new block for so many seconds is left when another one is higher'),
  bitcoinRetrySeconds: z.coerce.number().min(1).default(60).describe('a Bitcoin node that was left is tried again after so many seconds'),
  unspentSet: z.string().optional().describe("file of the unspent set that the chain spec names, written by bitcoind's dumptxoutset; needed once"),
  checkpoint: z
    .string()
    .regex(/^\d{1,15}:0x[0-9a-fA-F]{64}$/, 'must be NUMBER:HASH, e.g. 1200:0x and 64 hex digits')
    .transform((text): Checkpoint => {
      const [number = '', hash = ''] = text.split(':');
      return { number: BigInt(number), hash: fromHex(hash) };
    })
    .optional()
    .describe('number:hash of an L2 block that you vouch for: branches without it are not chosen; ends a finality/conflict'),
  readyFile: z.string().optional().describe('file that is written, as JSON with the URLs, when the node answers'),
  ...state,
  ...rpc,
  ...admin,
  ...compatible({ tbc: '; off when left out', finality: '; off when left out' }),
  ...log,
});

const list = z.string().transform((text) => text.split(',').map((part) => part.trim()));
const publicKey = z.string().regex(/^0[23][0-9a-fA-F]{64}$/, 'must be public keys of 66 hex digits');
const key = z.string().regex(/^(0x)?[0-9a-fA-F]{64}$/, 'must be 64 hex digits');

const sats = z.coerce.bigint().min(1n);

/** `hemid custodian status`, `pause` and `resume`. */
export const custodianDeskConfig = z.strictObject({
  data: z.string().default('.hemid').describe('data directory of the custodian'),
  reason: z.string().default('no reason given').describe('why it is paused, for its status'),
});

/** `hemid custodian`: a verifier, and what signs beside it. */
export const custodianConfig = nodeConfig
  .omit({ role: true, sequencerKey: true, sequencerKeyFile: true, archive: true, stateBlocks: true, poolTransactions: true })
  .extend({
    upstream: z.url().describe('JSON-RPC URL of the node that its verifier fetches blocks from'),
    vault: z
      .string()
      .optional()
      .describe('the vault as an output descriptor with its checksum: wsh(sortedmulti(…)), tr(…) or wpkh(…); or give its keys'),
    vaultKeys: list
      .pipe(z.array(publicKey).min(1).max(16))
      .optional()
      .describe('public keys of all custodians, 66 hex digits each, with commas: the vault is wsh(sortedmulti(n, keys))'),
    vaultRequired: z.coerce.number().int().min(1).max(16).optional().describe('how many of them must sign'),
    custodianKey: key.optional().describe("this custodian's key, hex; better in the environment than in a flag"),
    custodianKeyFile: z.string().optional().describe("file that holds this custodian's key"),
    formerVault: z.string().optional().describe('the vault before, as a descriptor; or give its keys'),
    formerVaultKeys: list
      .pipe(z.array(publicKey).min(1).max(16))
      .optional()
      .describe('public keys of the vault before, while the next batch has to move its coins to the one in force'),
    formerVaultRequired: z.coerce.number().int().min(1).max(16).optional().describe('how many of those must sign'),
    formerKey: key.optional().describe("this custodian's key of that vault, hex; better in the environment than in a flag"),
    formerKeyFile: z.string().optional().describe('file that holds it'),
    custodianPollMs: z.coerce.number().int().min(10).default(2_000).describe('milliseconds between looks for what is to be paid'),
    dailyLimitSats: sats
      .optional()
      .describe(
        'sats that this custodian lets out of the vault in 144 Bitcoin blocks; a batch that pays more waits, a whole day for each limit it needs',
      ),
    largeSats: sats.optional().describe('a withdrawal of so many sats or more is large'),
    largeDelayBlocks: z.coerce
      .number()
      .int()
      .min(0)
      .max(100_000)
      .default(144)
      .describe('Bitcoin blocks that a batch with a large withdrawal waits after it is final'),
    bumpWallet: z
      .string()
      .optional()
      .describe(
        "wallet of the Bitcoin node with this custodian's own coins, which pay for batches that wait too long; without it, others do or nobody",
      ),
    bumpAfterBlocks: z.coerce.number().int().min(0).default(3).describe('Bitcoin blocks that a batch waits before it is bumped'),
    bumpMaxSats: sats.default(100_000n).describe('sats that bumping one batch may cost this custodian'),
    peers: list.pipe(z.array(z.url()).min(1)).optional().describe('exchange URLs of the other custodians, with commas'),
    exchangeHost: z.string().default('127.0.0.1').describe('address on which other custodians fetch signatures'),
    exchangePort: port.default(8550).describe('port of that; 0 = a free one'),
    exchangeSecret: key.optional().describe('what all custodians share to know one another, hex; better in the environment than in a flag'),
    exchangeSecretFile: z.string().optional().describe('file that holds it'),
    exchangeFolder: z.string().optional().describe('folder in which PSBTs are exchanged as files, with or without --peers; for cold signers'),
  });

/** What of a configuration a node is created with, whatever its role. */
export function limitsOf(config: DevConfig | NodeConfig): NodeLimits {
  const checkpoint = 'checkpoint' in config ? config.checkpoint : undefined;
  return {
    stateWindow: stateWindowOf(config),
    stateCacheBytes: config.stateCacheMb * 2 ** 20,
    poolTransactions: config.poolTransactions,
    checkpoint,
  };
}

/** Blocks below the head whose state is kept; `undefined` keeps all. */
export function stateWindowOf(config: { archive: boolean; stateBlocks: number }): number | undefined {
  return config.archive ? undefined : config.stateBlocks;
}

/** What of a configuration says how the RPC is served. */
export function rpcLimitsOf(config: z.output<typeof rpcConfig>): RpcLimits {
  const own = Object.keys(rpcConfig.shape) as (keyof typeof config)[];
  return createLimits(Object.fromEntries(own.map((name) => [name, config[name]])));
}

export type DevConfig = Readonly<z.output<typeof devConfig>>;
export type CustodianConfig = Readonly<z.output<typeof custodianConfig>>;
export type NodeConfig = Readonly<z.output<typeof nodeConfig>>;
