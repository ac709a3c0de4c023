import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRpcSource } from '@hemid/bitcoin';
import { bitcoinReference } from '@hemid/chain';
import { createMinerBitcoind, createPopMiner, createPopWallet, type KeystoneSource, type PopMiner, toFeeRate } from '@hemid/pop-miner';
import { type ChainSpec, fromHex, scriptToAddress } from '@hemid/protocol';
import { createRestServer, createRpcServer, createTbcServer, type ListenOptions } from '@hemid/rpc';
import { createLogger, type Logger, Secret, type Service, systemClock } from '@hemid/runtime';
import { openStore } from '@hemid/store';
import { adminTokenFile, openConfiguredAdmin } from './admin.ts';
import { renderBanner } from './banner.ts';
import { type DevConfig, limitsOf, rpcLimitsOf } from './config.ts';
import { createBlockProducer, type DevBitcoin, openDevBitcoin } from './dev-bitcoin.ts';
import { payVault } from './dev-deposit.ts';
import { DEV_PROBE_ADDRESS, devKey, devVaultScript } from './dev-key.ts';
import { withDevelopment } from './dev-rpc.ts';
import { fail } from './errors.ts';
import { createHeartbeat } from './heartbeat.ts';
import { writeJsonFile } from './json-file.ts';
import { openReadThreads } from './long-reads.ts';
import { createNode, type Node } from './node.ts';
import { createRpcDeps, createTbcDeps } from './rpc-deps.ts';
import { createFailure, type RunEnd, runServices } from './run.ts';
import { completeTemplate, readChainSpec } from './spec-template.ts';

const TEMPLATE = fileURLToPath(new URL('../../../configs/dev.json', import.meta.url));
const MINER_POLL_MS = 1000;
const BITCOIN_POLL_MS = 200;
/** Where the public programs look for them. */
const USUAL_TBC: ListenOptions = { host: '127.0.0.1', port: 8082, orFree: true };
const USUAL_FINALITY: ListenOptions = { host: '127.0.0.1', port: 8080, orFree: true };
const FIRST_DEPOSIT_SATS = 1_000_000n;
/** The first account of the mnemonic. */
const FIRST_RECIPIENT = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';

/** Deletes a data directory, if it is one of `hemid dev` and nothing else. */
function makeFresh(directory: string): void {
  if (!existsSync(directory)) return;
  const known = new Set(['admin-token', 'chain.json', 'chain.json.tmp', 'dev.json', 'dev.json.tmp', 'node', 'bitcoin', 'bitcoind']);
  const strangers = readdirSync(directory).filter((name) => !known.has(name));
  if (strangers.length > 0) {
    throw fail('node/config', `--fresh would delete ${directory}, but it holds files that hemid dev did not make (${strangers.join(', ')})`);
  }
  rmSync(directory, { recursive: true, force: true });
}

/** The spec of this network: written at the first start, with the Bitcoin tip of then as hVM genesis. */
async function openSpec(directory: string, bitcoin: DevBitcoin): Promise<{ spec: ChainSpec; isNew: boolean }> {
  const file = join(directory, 'chain.json');
  if (existsSync(file)) return { spec: readChainSpec(file), isNew: false };
  const { height } = await createRpcSource(bitcoin.rpc).best();
  const header = async (h: number): Promise<Uint8Array> =>
    fromHex((await bitcoin.rpc('getblockheader', [await bitcoin.rpc('getblockhash', [h]), false])) as string);
  const headersBefore: Uint8Array[] = [];
  for (let h = Math.max(0, height - 11); h < height; h += 1) headersBefore.push(await header(h));
  const time = Math.floor(systemClock.now() / 1000);
  writeJsonFile(file, completeTemplate(TEMPLATE, { time, bitcoin: { height, header: await header(height), headersBefore } }));
  return { spec: readChainSpec(file), isNew: true };
}

/** The miner's keystones, straight from the node in this process. */
function keystonesOf({ chain }: Node): KeystoneSource {
  const period = BigInt(chain.spec.genesis.keystonePeriod);
  return {
    async latest(count) {
      const head = chain.head('latest').header.number;
      const newest = head - (head % period);
      const numbers = Array.from({ length: count }, (_, i) => newest - BigInt(i) * period).filter((number) => number > 0n);
      return numbers.flatMap((number) => chain.headerAt(number) ?? []).map((block) => chain.keystone(block));
    },
    async origin(hash) {
      const block = chain.header(hash);
      if (block === undefined) throw fail('node/no-block', 'a keystone block is not on the chain any more');
      return { bitcoinTip: bitcoinReference(block.header), timeMs: Number(block.header.timestamp) * 1000 };
    },
  };
}

/** The first deposit of a new network, so that a newcomer sees one arrive. */
function createFirstDeposit(bitcoin: DevBitcoin, log: Logger): Service {
  return {
    name: 'first-deposit',
    async start() {
      const txid = await payVault(bitcoin.rpc, { recipient: fromHex(FIRST_RECIPIENT), sats: FIRST_DEPOSIT_SATS });
      log.info({ txid, recipient: FIRST_RECIPIENT }, 'first deposit sent to the vault');
    },
    stop() {},
  };
}

/** `hemid dev`: Bitcoin, sequencer, miner, finality, tunnel and RPC in one process; runs until a signal. */
export async function runDev(config: DevConfig): Promise<RunEnd> {
  const log = createLogger({ level: config.logLevel, format: config.logFormat });
  const clock = systemClock;
  const directory = resolve(config.data);
  if (config.fresh) makeFresh(directory);
  mkdirSync(directory, { recursive: true });
  const storeDirectory = join(directory, 'node');
  const store = await openStore(storeDirectory, { threads: 'several' });
  let bitcoin: DevBitcoin | undefined;
  try {
    bitcoin = await openDevBitcoin({ directory, bitcoind: config.bitcoind, port: config.bitcoinRpcPort }, { clock, log });
    const { spec, isNew } = await openSpec(directory, bitcoin);
    const { fail: onFailure, failed } = createFailure();
    const production = config.automine ? 'automine' : 'slots';
    const development = spec.genesis.development === true ? production : undefined;
    if (development === undefined) log.warn('this network is of an older hemid: --fresh starts one with evm_, anvil_ and hardhat_ verbs');
    const node = await createNode(
      { spec, store, bitcoin: bitcoin.rpc, clock, log, onFailure },
      {
        bitcoinPollMs: BITCOIN_POLL_MS,
        ...limitsOf(config),
        role: { kind: 'sequencer', key: new Secret(devKey('sequencer').secret), development },
      },
    );
    const reads = openReadThreads(node, { directory: storeDirectory, threads: config.rpcWorkers }, { clock, log });
    const rpcDeps = withDevelopment(createRpcDeps(node, { clock, log, bitcoin: bitcoin.rpc, longReads: reads }), node);
    const rpc = createRpcServer(rpcDeps, { host: config.rpcHost, port: config.rpcPort, limits: rpcLimitsOf(config) });
    const tbcDeps = createTbcDeps(node, { bitcoin: bitcoin.rpc, clock, log });
    const tbc = createTbcServer(tbcDeps, config.tbcAddress ?? USUAL_TBC);
    const rest = createRestServer(rpcDeps, config.finalityAddress ?? USUAL_FINALITY);
    const wallet = createPopWallet(new Secret(devKey('miner').secret), { network: 'regtest', kind: 'p2wpkh' });
    const miner: PopMiner & Service = createPopMiner(
      {
        bitcoin: createMinerBitcoind({ rpc: bitcoin.rpc, wallet, log }),
        keystones: keystonesOf(node),
        wallet,
        clock,
        log,
        onFailure,
      },
      { network: 'regtest', fees: { maxRate: toFeeRate(100) }, pollMs: MINER_POLL_MS },
    );
    const blocks = createBlockProducer({ rpc: bitcoin.rpc, clock, onFailure }, { seconds: config.bitcoinBlockSeconds });
    const write = (line: string): void => void process.stdout.write(`${line}\n`);
    const time = (): string => new Date(clock.now()).toISOString().slice(11, 19);
    const heartbeat = createHeartbeat({ node, time, miner: miner.status, write });
    const { kind, url, cookieFile } = bitcoin;
    const endpointsOf = () => ({ rpc: rpc.url(), tbc: tbc.url(), finality: rest.url(), bitcoin: url });
    const admin = openConfiguredAdmin(node, { rpc: rpcDeps, log }, { ...config, role: 'dev', urls: endpointsOf });
    const services = [
      ...(isNew ? [createFirstDeposit(bitcoin, log)] : []),
      ...(config.quiet ? [] : [heartbeat]),
      ...node.services,
      ...(reads === undefined ? [] : [reads]),
      rpc,
      tbc,
      rest,
      ...(admin === undefined ? [] : [admin]),
      miner,
      blocks,
    ];
    await miner.tick();
    return await runServices(services, { log, failed }, () => {
      const endpoints = {
        ...endpointsOf(),
        ...(admin === undefined ? {} : { admin: admin.url() }),
        ...(cookieFile === undefined ? {} : { bitcoinCookie: cookieFile }),
      };
      writeJsonFile(join(directory, 'dev.json'), { ...endpoints, pid: process.pid });
      write(
        renderBanner({
          rpcUrl: rpc.url(),
          tbcUrl: tbc.url(),
          finalityUrl: rest.url(),
          dataDirectory: config.data,
          chainId: spec.genesis.chainId,
          bitcoinKind: kind,
          bitcoinUrl: url,
          bitcoinHeight: node.headers.best().height,
          bitcoinBlockSeconds: config.bitcoinBlockSeconds,
          production,
          admin: admin && { url: admin.url(), tokenFile: adminTokenFile(config) },
          miner: miner.status(),
          vault: scriptToAddress(devVaultScript(), 'regtest') ?? '',
          probe: DEV_PROBE_ADDRESS,
        }),
      );
    });
  } finally {
    await bitcoin?.close();
    await store.close();
  }
}
