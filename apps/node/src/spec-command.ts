import { accessSync, constants } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type BitcoinRpc, createBitcoindRpc, createRpcSource } from '@hemid/bitcoin';
import {
  type ChainSpec,
  DEFAULT_SIGNET_CHALLENGE,
  decodeBitcoinHeader,
  fromHex,
  headersBeforeCount,
  isHemidError,
  parseChainSpec,
  readVaultDescriptor,
  scriptToAddress,
  toDigits,
  toDisplay,
  toHex,
} from '@hemid/protocol';
import { z } from 'zod';
import { fail } from './errors.ts';
import { readJsonFile, writeJsonFile } from './json-file.ts';

const hash = z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 lowercase hex digits');

/** `hemid spec new`. */
export const specConfig = z.strictObject({
  network: z.enum(['mainnet', 'testnet4', 'signet', 'regtest']).describe('Bitcoin network that the chain is anchored in'),
  height: z.coerce.number().int().min(0).describe('Bitcoin height of the hVM genesis; choose one that no reorg will reach'),
  bitcoind: z.url().describe('RPC URL of a Bitcoin node of that network, e.g. http://user:password@127.0.0.1:8332'),
  cookie: z.string().optional().describe("path of bitcoind's .cookie file"),
  template: z.string().describe('chain spec to take everything else from, e.g. configs/regtest.json'),
  out: z.string().describe('file to write'),
  unspentHash: hash.optional().describe('txoutset_hash (hash_serialized_3) of the unspent set at that height, if it is known'),
  dump: z
    .string()
    .optional()
    .describe('else: file for bitcoind (Core or Knots 29 or newer) to write that unspent set to, on its own host; mainnet takes long and over 10 GB'),
  dumpTimeoutHours: z.coerce.number().positive().max(500).default(24).describe('how long bitcoind may take for the dump'),
  signetChallenge: z
    .string()
    .regex(/^([0-9a-f]{2})+$/, 'must be lowercase hex')
    .optional()
    .describe("script of a custom signet; the default signet's if left out"),
  vault: z
    .string()
    .optional()
    .describe(
      "the tunnel's vault: a Bitcoin address, or a descriptor with its checksum (with extended keys: its address is written); the template's if left out",
    ),
  time: z.coerce.number().int().min(0).optional().describe("time of slot 0 in Unix seconds; the template's if left out"),
});

export type SpecConfig = Readonly<z.output<typeof specConfig>>;

const RPC_TIMEOUT_MS = 30_000;
const HOUR_MS = 3_600_000;

/** A vault as everybody may read it: an extended key would show a whole wallet, so in place of its descriptor stands the address. */
function toPublishedVault(vault: string, network: SpecConfig['network']): string {
  const isWallet = vault.includes('(') && /[xt]pub/.test(vault);
  return isWallet ? (scriptToAddress(readVaultDescriptor(vault, network).script, network) as string) : vault;
}

/** The run of headers that ends with the hVM genesis. */
interface HeaderRun {
  genesisHash: Uint8Array;
  genesisHeader: Uint8Array;
  headersBefore: Uint8Array[];
}

/** Fetches the run from its end on, parent by parent, so that it is one run whatever the node's chain does meanwhile. */
async function fetchHeaders(rpc: BitcoinRpc, config: SpecConfig): Promise<HeaderRun> {
  const { network, height } = config;
  const needed = headersBeforeCount(network, height);
  if (needed === undefined) {
    throw fail('node/config', `--height ${height} is too low for ${network}: a chain spec carries the 2027 headers before the hVM genesis`);
  }
  const source = createRpcSource(rpc);
  await source.checkNetwork(network);
  const best = await source.best();
  const genesisHash = height > best.height ? undefined : await source.hashAt(height);
  if (genesisHash === undefined) {
    throw fail('node/config', `the Bitcoin node at ${withoutLogin(config.bitcoind)} has no block ${height} yet: its best block is ${best.height}`);
  }
  const run: Uint8Array[] = [];
  for (let next = genesisHash; run.length <= needed; next = decodeBitcoinHeader(run[0] as Uint8Array).previous) {
    run.unshift(fromHex((await rpc('getblockheader', [toDisplay(next), false])) as string));
  }
  return { genesisHash, genesisHeader: run.pop() as Uint8Array, headersBefore: run };
}

const withoutLogin = (url: string): string => url.replace(/\/\/[^@/]*@/, '//');

interface Dump {
  base_hash: string;
  base_height: number;
  path: string;
  txoutset_hash: string;
}

/** Lets bitcoind roll back to the hVM genesis and write the unspent set there; @returns its hash as bitcoind prints it. */
async function dumpUnspentSet(
  rpc: BitcoinRpc,
  { file, height, genesisHash }: { file: string; height: number; genesisHash: Uint8Array },
): Promise<Dump> {
  let dump: Dump;
  try {
    dump = (await rpc('dumptxoutset', [file, 'rollback', { rollback: height }])) as Dump;
  } catch (cause) {
    if (!isHemidError(cause, 'bitcoin/rpc')) throw cause;
    throw fail('node/config', `bitcoind cannot dump its unspent set at height ${height}: ${cause.message}. Core or Knots 29 or newer can`, { cause });
  }
  if (dump.base_hash === toDisplay(genesisHash)) return dump;
  throw fail(
    'node/config',
    `bitcoind dumped the unspent set at block ${dump.base_hash}, not at ${toDisplay(genesisHash)}: its chain has changed, run this again`,
  );
}

/** The spec's `bitcoin.unspent`, and the file it was dumped to. */
async function unspentOf(config: SpecConfig, genesisHash: Uint8Array): Promise<{ unspent: unknown; dumped?: string }> {
  const { network, height, unspentHash, dump } = config;
  if (unspentHash !== undefined && dump !== undefined) throw fail('node/config', 'give --unspent-hash or --dump, not both');
  if (unspentHash !== undefined) return { unspent: { hashSerialized: unspentHash } };
  if (dump !== undefined) {
    const rpc = connect(config, config.dumpTimeoutHours * HOUR_MS);
    const { txoutset_hash: hashSerialized, path } = await dumpUnspentSet(rpc, { file: resolve(dump), height, genesisHash });
    return { unspent: { hashSerialized }, dumped: path };
  }
  if (network === 'regtest') return { unspent: 'none' };
  throw fail('node/config', `${network} needs the unspent set at height ${height}: give --unspent-hash, or --dump for bitcoind to make it`);
}

function connect({ bitcoind, cookie }: SpecConfig, timeoutMs: number): BitcoinRpc {
  return createBitcoindRpc({ url: bitcoind, timeoutMs, ...(cookie === undefined ? {} : { cookieFile: cookie }) });
}

/** The challenge to write, which must be the one that bitcoind checks (it says so from Core 28 on). */
async function challengeOf(rpc: BitcoinRpc, config: SpecConfig): Promise<{ signetChallenge?: string }> {
  if (config.network !== 'signet') {
    if (config.signetChallenge === undefined) return {};
    throw fail('node/config', `--signet-challenge is for signet, not for ${config.network}`);
  }
  const challenge = config.signetChallenge ?? toDigits(DEFAULT_SIGNET_CHALLENGE);
  const { signet_challenge: own } = (await rpc('getblockchaininfo', [])) as { signet_challenge?: string };
  if (own === undefined || own === challenge) return { signetChallenge: `0x${challenge}` };
  throw fail('node/config', `the Bitcoin node follows another signet: its challenge is ${own}; give --signet-challenge`);
}

interface Template {
  genesis: { time?: number; tunnel: Record<string, unknown>; bitcoin: Record<string, unknown> };
}

function readTemplate(path: string): Template {
  const json = readJsonFile(path) as Partial<Template> | null;
  if (typeof json?.genesis?.bitcoin === 'object' && typeof json.genesis.tunnel === 'object') return json as Template;
  throw fail('node/config', `${path} is no chain spec: it has no genesis.bitcoin and genesis.tunnel`);
}

function checkWritable(file: string): void {
  try {
    accessSync(dirname(resolve(file)), constants.W_OK);
  } catch (cause) {
    throw fail('node/config', `cannot write ${file}: ${(cause as Error).message}`, { cause });
  }
}

function parse(json: unknown, template: string): ChainSpec {
  try {
    return parseChainSpec(json);
  } catch (error) {
    if (!isHemidError(error, 'protocol/chain-spec')) throw error;
    throw fail('node/config', `nothing was written, for with ${template} ${error.message}`, { cause: error });
  }
}

/**
 * Writes a chain spec whose hVM genesis is a block of a running Bitcoin node; @returns what was written, in words.
 *
 * @throws `node/config` for what cannot be, before anything is written.
 */
export async function runSpecNew(config: SpecConfig): Promise<string> {
  const template = readTemplate(config.template);
  checkWritable(config.out);
  const rpc = connect(config, RPC_TIMEOUT_MS);
  const { genesisHash, genesisHeader, headersBefore } = await fetchHeaders(rpc, config);
  const challenge = await challengeOf(rpc, config);
  const { genesis } = template;
  const complete = (unspent: unknown): unknown => ({
    ...template,
    genesis: {
      ...genesis,
      ...(config.time === undefined ? {} : { time: config.time }),
      tunnel: { ...genesis.tunnel, ...(config.vault === undefined ? {} : { vault: toPublishedVault(config.vault, config.network) }) },
      bitcoin: {
        ...Object.fromEntries(Object.entries(genesis.bitcoin).filter(([key]) => key !== 'signetChallenge')),
        network: config.network,
        ...challenge,
        unspent,
        genesisHeight: config.height,
        genesisHeader: toHex(genesisHeader),
        headersBefore: headersBefore.map(toHex),
      },
    },
  });
  // A dump may take hours: what is wrong with the rest is said before it.
  parse(complete({ hashSerialized: '00'.repeat(32) }), config.template);
  const { unspent, dumped } = await unspentOf(config, genesisHash);
  const json = complete(unspent);
  const spec = parse(json, config.template);
  writeJsonFile(config.out, json);
  return [
    `${config.out}: "${spec.genesis.name}", chain ${spec.genesis.chainId}, genesis hash ${toHex(spec.genesisHash)}`,
    `hVM genesis: block ${config.height} of ${config.network}, ${toDisplay(genesisHash)}, with ${headersBefore.length} headers before it`,
    `unspent set: ${unspent === 'none' ? 'none, the index starts empty' : (unspent as { hashSerialized: string }).hashSerialized}`,
    ...(dumped === undefined ? [] : [`dumped to ${dumped}: every node of this network loads that file once`]),
  ].join('\n');
}
