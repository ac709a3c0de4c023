import { type BitcoinRpc, createBitcoindRpc } from '@hemid/bitcoin';
import { type BitcoinNetwork, equal, fromHex, readVaultDescriptor, rulesAt, scriptToAddress, toDigits } from '@hemid/protocol';
import type { Service } from '@hemid/runtime';
import {
  createCustodian,
  createFolderExchange,
  createHttpExchange,
  joinExchanges,
  keyIndex,
  type PartialExchange,
  publicKeyIn,
  sortedMulti,
  type VaultKeys,
} from '@hemid/tunnel';
import type { CustodianConfig } from './config.ts';
import { fail } from './errors.ts';
import { readKey } from './key-file.ts';
import { runNode } from './node-command.ts';
import type { RunEnd } from './run.ts';
import { readChainSpec } from './spec-template.ts';

const RPC_TIMEOUT_MS = 30_000;
const PEER_TIMEOUT_MS = 10_000;

/** The vault that the configuration describes. */
function describedVault({ vault, vaultKeys, vaultRequired }: CustodianConfig, network: BitcoinNetwork): VaultKeys {
  const byKeys = vaultKeys !== undefined && vaultRequired !== undefined;
  const isOne = vault === undefined ? byKeys : vaultKeys === undefined && vaultRequired === undefined;
  if (!isOne) throw fail('node/config', 'say which vault: give --vault, or --vault-keys and --vault-required');
  if (vault !== undefined) return readVaultDescriptor(vault, network);
  const [required, keys] = [vaultRequired as number, vaultKeys as string[]];
  if (required > keys.length) throw fail('node/config', `--vault-required is ${required}, but there are ${keys.length} keys`);
  return sortedMulti(required, keys.map(fromHex));
}

/** The vault of the configuration, which must be one of the chain. */
function vaultOf(config: CustodianConfig): VaultKeys {
  const spec = readChainSpec(config.chain);
  const { network } = spec.genesis.bitcoin;
  const vault = describedVault(config, network);
  const last = spec.upgrades.at(-1)?.timestamp ?? 0;
  if (rulesAt(spec, BigInt(Math.max(last, spec.genesis.time))).vaults.some((script) => equal(script, vault.script))) return vault;
  throw fail('node/config', `what --vault or --vault-keys describe, ${scriptToAddress(vault.script, network)}, is no vault of ${config.chain}`);
}

function bitcoinOf({ bitcoind, bitcoindCookie: cookieFile }: CustodianConfig): BitcoinRpc {
  const [url = ''] = bitcoind;
  const login = cookieFile === undefined || new URL(url).username !== '' ? {} : { cookieFile };
  return createBitcoindRpc({ url, timeoutMs: RPC_TIMEOUT_MS, ...login });
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
  const vault = vaultOf(config);
  const how = 'set HEMID_CUSTODIAN_KEY or --custodian-key-file';
  const key = readKey({ hex: config.custodianKey, file: config.custodianKeyFile, what: 'custodian key', how });
  const publicKey = publicKeyIn(vault, key.reveal());
  if (keyIndex(vault, publicKey) === -1) throw fail('node/config', 'the custodian key is none of the vault');
  const { exchange, services } = exchangeOf(config, toDigits(publicKey).slice(0, 16));
  const unused = { sequencerKey: undefined, sequencerKeyFile: undefined, stateBlocks: 1024, poolTransactions: 64 };
  return runNode({ ...config, ...unused, role: 'verifier', archive: true }, ({ node, store, clock, log, onFailure }) => {
    const deps = { chain: node.chain, store, bitcoin: bitcoinOf(config), exchange, clock, log, onFailure };
    return [...services, createCustodian(deps, { vault, key, pollMs: config.custodianPollMs })];
  });
}
