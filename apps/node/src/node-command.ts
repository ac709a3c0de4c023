import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createJsonRpc, createUpstream } from '@hemid/network';
import { fromHex } from '@hemid/protocol';
import { createRestServer, createRpcServer, createTbcServer } from '@hemid/rpc';
import { createLogger, Secret, systemClock } from '@hemid/runtime';
import { openStore } from '@hemid/store';
import { loadSpecUnspentSet, openBitcoinNodes } from './bitcoin-source.ts';
import { limitsOf, type NodeConfig, rpcLimitsOf } from './config.ts';
import { fail } from './errors.ts';
import { writeJsonFile } from './json-file.ts';
import { createNode, type NodeOptions } from './node.ts';
import { createRpcDeps, createTbcDeps } from './rpc-deps.ts';
import { createFailure, type RunEnd, runServices } from './run.ts';
import { readChainSpec } from './spec-template.ts';

const RPC_TIMEOUT_MS = 30_000;

function readKey(config: NodeConfig): Secret<Uint8Array> {
  if (config.sequencerKey !== undefined) return new Secret(fromHex(config.sequencerKey));
  if (config.sequencerKeyFile === undefined) {
    throw fail('node/config', 'a sequencer needs its key: set HEMID_SEQUENCER_KEY or --sequencer-key-file');
  }
  let text: string;
  try {
    text = readFileSync(config.sequencerKeyFile, 'utf8').trim();
  } catch (cause) {
    throw fail('node/config', `cannot read the sequencer key file ${config.sequencerKeyFile}: ${(cause as Error).message}`, { cause });
  }
  if (!/^(0x)?[0-9a-fA-F]{64}$/.test(text)) throw fail('node/config', `${config.sequencerKeyFile} does not hold 64 hex digits`);
  return new Secret(fromHex(text));
}

function upstreamOf(config: NodeConfig): string {
  if (config.upstream === undefined) throw fail('node/config', 'a verifier needs --upstream <url>, the node it fetches blocks from');
  return config.upstream;
}

/** `hemid node`: runs until a signal. */
export async function runNode(config: NodeConfig): Promise<RunEnd> {
  const log = createLogger({ level: config.logLevel, format: config.logFormat });
  const clock = systemClock;
  const spec = readChainSpec(config.chain);
  const key = config.role === 'sequencer' ? readKey(config) : undefined;
  const upstream = key === undefined ? createUpstream(createJsonRpc(upstreamOf(config), { timeoutMs: RPC_TIMEOUT_MS })) : undefined;
  mkdirSync(config.data, { recursive: true });
  const store = await openStore(join(config.data, 'node'));
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
    const rpcDeps = createRpcDeps(node, { clock, log, ...(upstream === undefined ? {} : { upstream }) });
    const rpc = createRpcServer(rpcDeps, { host: config.rpcHost, port: config.rpcPort, limits: rpcLimitsOf(config) });
    const { tbcAddress, finalityAddress } = config;
    const tbc = tbcAddress && createTbcServer(createTbcDeps(node, { bitcoin: bitcoin.rpc, clock, log }), tbcAddress);
    const rest = finalityAddress && createRestServer(rpcDeps, finalityAddress);
    const servers = [rpc, ...(tbc === undefined ? [] : [tbc]), ...(rest === undefined ? [] : [rest])];
    return await runServices([...node.services, ...servers], { log, failed }, () => {
      const urls = { rpc: rpc.url(), ...(tbc && { tbc: tbc.url() }), ...(rest && { finality: rest.url() }) };
      log.info({ role: config.role, chainId: spec.genesis.chainId, ...urls }, 'hemid is running');
      if (config.readyFile !== undefined) writeJsonFile(config.readyFile, { ...urls, pid: process.pid });
    });
  } finally {
    await store.close();
  }
}
