import { type BitcoinRpc, createBitcoindRpc } from '@hemid/bitcoin';
import { type BitcoinNetwork, equal, fromHex, readVaultDescriptor, rulesAt, scriptToAddress, toDigits } from '@hemid/protocol';
import type { Secret, Service } from '@hemid/runtime';
import {
  type Bumper,
  createBumper,
  createCustodian,
  createFolderExchange,
  createHttpExchange,
  joinExchanges,
  keyIndex,
  type PartialExchange,
  publicKeyIn,
  sortedMulti,
  type VaultHolder,
  type VaultKeys,
} from '@hemid/tunnel';
import type { CustodianConfig } from './config.ts';
import { createStatusFile, readPause } from './custodian-desk.ts';
import { fail } from './errors.ts';
import { readKey } from './key-file.ts';
import { runNode } from './node-command.ts';
import type { RunEnd } from './run.ts';
import { readChainSpec } from './spec-template.ts';

const RPC_TIMEOUT_MS = 30_000;
const PEER_TIMEOUT_MS = 10_000;

/** How a vault is configured: by a descriptor, or by its keys. */
interface DescribedVault {
  descriptor: string | undefined;
  keys: readonly string[] | undefined;
  required: number | undefined;
  /** The option of the descriptor. */
  option: '--vault' | '--former-vault';
}

function readVault({ descriptor, keys, required, option }: DescribedVault, network: BitcoinNetwork): VaultKeys {
  const byKeys = keys !== undefined && required !== undefined;
  const isOne = descriptor === undefined ? byKeys : keys === undefined && required === undefined;
  if (!isOne) throw fail('node/config', `say which vault: give ${option}, or ${option}-keys and ${option}-required`);
  if (descriptor !== undefined) return readVaultDescriptor(descriptor, network);
  const [least, all] = [required as number, keys as readonly string[]];
  if (least > all.length) throw fail('node/config', `${option}-required is ${least}, but there are ${all.length} keys`);
  return sortedMulti(least, all.map(fromHex));
}

/** A vault of the configuration, which must be one of the chain, and this custodian's key of it. */
function holderOf(chain: string, described: DescribedVault, key: Secret<Uint8Array>): VaultHolder {
  const spec = readChainSpec(chain);
  const { network } = spec.genesis.bitcoin;
  const vault = readVault(described, network);
  const last = spec.upgrades.at(-1)?.timestamp ?? 0;
  if (!rulesAt(spec, BigInt(Math.max(last, spec.genesis.time))).vaults.some((script) => equal(script, vault.script))) {
    const { option } = described;
    throw fail('node/config', `what ${option} or ${option}-keys describe, ${scriptToAddress(vault.script, network)}, is no vault of ${chain}`);
  }
  if (keyIndex(vault, publicKeyIn(vault, key.reveal())) === -1) throw fail('node/config', 'the custodian key is none of the vault');
  return { vault, key };
}

/** The vault before, while it still holds coins. */
function formerOf({
  chain,
  formerVault: descriptor,
  formerVaultKeys: keys,
  formerVaultRequired: required,
  ...config
}: CustodianConfig): VaultHolder[] {
  if (descriptor === undefined && keys === undefined) return [];
  const how = 'set HEMID_FORMER_KEY or --former-key-file';
  const key = readKey({ hex: config.formerKey, file: config.formerKeyFile, what: 'key of the former vault', how });
  return [holderOf(chain, { descriptor, keys, required, option: '--former-vault' }, key)];
}

/** The Bitcoin node, or a wallet of it. */
function bitcoinOf({ bitcoind, bitcoindCookie: cookieFile }: CustodianConfig, wallet?: string): BitcoinRpc {
  const url = new URL(bitcoind[0] ?? '');
  const login = cookieFile === undefined || url.username !== '' ? {} : { cookieFile };
  if (wallet !== undefined) url.pathname = `/wallet/${encodeURIComponent(wallet)}`;
  return createBitcoindRpc({ url: url.href, timeoutMs: RPC_TIMEOUT_MS, ...login });
}

function bumperOf(config: CustodianConfig): Bumper | undefined {
  if (config.bumpWallet === undefined) return undefined;
  const deps = { bitcoin: bitcoinOf(config), wallet: bitcoinOf(config, config.bumpWallet) };
  return createBumper(deps, { afterBlocks: config.bumpAfterBlocks, maxSats: config.bumpMaxSats });
}

/** How signatures are exchanged: by HTTP, by files, or both. */
function exchangeOf(config: CustodianConfig, name: string): { exchange: PartialExchange; services: Service[] } {
  const { exchangeHost: host, exchangePort: port, exchangeFolder: folder, peers } = config;
  if (peers === undefined && folder === undefined)
    throw fail('node/config', 'custodians exchange signatures: give --peers, --exchange-folder or both');
  const files = folder === undefined ? [] : [createFolderExchange({ folder, name })];
  if (peers === undefined) return { exchange: joinExchanges(files), services: [] };
  const how = 'set HEMID_EXCHANGE_SECRET or --exchange-secret-file';
  const secret = readKey({ hex: config.exchangeSecret, file: config.exchangeSecretFile, what: 'exchange secret', how });
  const http = createHttpExchange({ host, port, peers, secret, timeoutMs: PEER_TIMEOUT_MS });
  return { exchange: joinExchanges([http, ...files]), services: [http] };
}

/** `hemid custodian`: a verifier that keeps every state, and signs what it has verified; runs until a signal. */
export async function runCustodian(config: CustodianConfig): Promise<RunEnd> {
  const how = 'set HEMID_CUSTODIAN_KEY or --custodian-key-file';
  const key = readKey({ hex: config.custodianKey, file: config.custodianKeyFile, what: 'custodian key', how });
  const { vault: descriptor, vaultKeys: keys, vaultRequired: required } = config;
  const holder = holderOf(config.chain, { descriptor, keys, required, option: '--vault' }, key);
  const former = formerOf(config);
  const { exchange, services } = exchangeOf(config, toDigits(publicKeyIn(holder.vault, key.reveal())).slice(0, 16));
  const unused = { sequencerKey: undefined, sequencerKeyFile: undefined, stateBlocks: 1024, poolTransactions: 64 };
  return runNode({ ...config, ...unused, role: 'verifier', archive: true }, ({ node, store, clock, log, onFailure }) => {
    const { data, dailyLimitSats, largeSats, largeDelayBlocks, custodianPollMs: pollMs } = config;
    const desk = { paused: () => readPause(data), report: createStatusFile(data) };
    const bumper = bumperOf(config);
    const deps = { chain: node.chain, store, bitcoin: bitcoinOf(config), exchange, clock, log, onFailure, ...desk, ...(bumper && { bumper }) };
    return [...services, createCustodian(deps, { ...holder, former, pollMs, policy: { dailyLimitSats, largeSats, largeDelayBlocks } })];
  });
}
