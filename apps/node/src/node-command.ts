import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createJsonRpc, createUpstream } from '@hemid/network';
import { createRestServer, createRpcServer, createTbcServer } from '@hemid/rpc';
import { type Clock, createLogger, type Logger, type Secret, type Service, systemClock } from '@hemid/runtime';
import { openStore, type Store } from '@hemid/store';
import { openConfiguredAdmin } from './admin.ts';
import { loadSpecUnspentSet, openBitcoinNodes } from './bitcoin-source.ts';
import { limitsOf, type NodeConfig, rpcLimitsOf } from './config.ts';
import { fail } from './errors.ts';
import { writeJsonFile } from './json-file.ts';
import { readKey } from './key-file.ts';
import { openReadThreads } from './long-reads.ts';
import { createNode, type Node, type NodeOptions } from './node.ts';
import { createRpcDeps, createTbcDeps } from './rpc-deps.ts';
import { createFailure, type RunEnd, runServices } from './run.ts';
import { readChainSpec } from './spec-template.ts';

const RPC_TIMEOUT_MS = 30_000;

/** What a command runs beside a node. */
export type Companion = (parts: { node: Node; store: Store; clock: Clock; log: Logger; onFailure: (error: unknown) => void }) => Service[];

function upstreamOf(config: NodeConfig): string {
  if (config.upstream === undefined) throw fail('node/config', 'a verifier needs --upstream <url>, the node it fetches blocks from');
  return config.upstream;
}

function sequencerKey({ sequencerKey: hex, sequencerKeyFile: file }: NodeConfig): Secret<Uint8Array> {
  return readKey({ hex, file, what: 'sequencer key', how: 'set HEMID_SEQUENCER_KEY or --sequencer-key-file' });
}

/** `hemid node`: runs until a signal, with what `companion` adds. */
export async function runNode(config: NodeConfig, companion: Companion = () => []): Promise<RunEnd> {
  const log = createLogger({ level: config.logLevel, format: config.logFormat });
  const clock = systemClock;
  const spec = readChainSpec(config.chain);
  const key = config.role === 'sequencer' ? sequencerKey(config) : undefined;
  const upstream = key === undefined ? createUpstream(createJsonRpc(upstreamOf(config), { timeoutMs: RPC_TIMEOUT_MS })) : undefined;
  mkdirSync(config.data, { recursive: true });
  const directory = join(config.data, 'node');
  const store = await openStore(directory, { threads: 'several' });
  try {
    await loadSpecUnspentSet(spec, config.unspentSet, { store, clock, log });
    const bitcoin = openBitcoinNodes(config, { clock, log });
    const { fail: onFailure, failed } = createFailure();
    const role: NodeOptions['role'] =
      upstream === undefined || key !== undefined
        ? { kind: 'sequencer', key: key as Secret<Uint8Array> }
        : { kind: 'verifier', upstream, pollMs: config.upstreamPollMs };
    const { bitcoinPollMs, bitcoindZmq } = config;
    const options = { bitcoinPollMs, role, ...limitsOf(config), ...(bitcoindZmq === undefined ? {} : { bitcoinZmq: bitcoindZmq }) };
    const node = await createNode({ spec, store, bitcoin: bitcoin.source, clock, log, onFailure }, options);
    const reads = openReadThreads(node, { directory, threads: config.rpcWorkers }, { clock, log });
    const rpcDeps = createRpcDeps(node, { clock, log, bitcoin: bitcoin.rpc, longReads: reads, ...(upstream === undefined ? {} : { upstream }) });
    const rpc = createRpcServer(rpcDeps, { host: config.rpcHost, port: config.rpcPort, limits: rpcLimitsOf(config) });
    const { tbcAddress, finalityAddress } = config;
    const tbc = tbcAddress && createTbcServer(createTbcDeps(node, { bitcoin: bitcoin.rpc, clock, log }), tbcAddress);
    const rest = finalityAddress && createRestServer(rpcDeps, finalityAddress);
    const servers = [rpc, ...(tbc === undefined ? [] : [tbc]), ...(rest === undefined ? [] : [rest])];
    const urlsOf = () => ({ rpc: rpc.url(), ...(tbc && { tbc: tbc.url() }), ...(rest && { finality: rest.url() }) });
    const admin = openConfiguredAdmin(node, { rpc: rpcDeps, log }, { ...config, urls: urlsOf });
    const more = companion({ node, store, clock, log, onFailure });
    const services = [...node.services, ...(reads === undefined ? [] : [reads]), ...servers, ...(admin === undefined ? [] : [admin]), ...more];
    return await runServices(services, { log, failed }, () => {
      const urls = { ...urlsOf(), ...(admin && { admin: admin.url() }) };
      log.info({ role: config.role, chainId: spec.genesis.chainId, ...urls }, 'hemid is running');
      if (config.readyFile !== undefined) writeJsonFile(config.readyFile, { ...urls, pid: process.pid });
    });
  } finally {
    await store.close();
  }
}
