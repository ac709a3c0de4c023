import { z } from 'zod';
import { LOG_LEVELS } from '../admin-port.ts';
import { blockName } from './place.ts';
import { bareHash, hexAddress, hexBytes, hexHash, hexQuantity, jsonCount } from './scalar.ts';

const head = z.strictObject({ number: hexQuantity, hash: hexHash, bitcoinTip: bareHash }).meta({ title: 'head' });

/** `hemi_getStatus`. */
export const statusResult = z
  .strictObject({ ready: z.boolean(), reasons: z.array(z.string()), latest: head, safe: head, finalized: head })
  .meta({ title: 'status' });

const sealedHeader = z.strictObject({ number: hexQuantity, hash: hexHash, header: hexBytes, seal: hexBytes }).meta({ title: 'sealed header' });

/** `hemi_getEvidence`. */
export const evidenceResult = z.array(
  z
    .strictObject({ slot: hexQuantity, timestamp: hexQuantity, sequencer: hexAddress.nullable(), blocks: z.array(sealedHeader) })
    .meta({ title: 'slot sealed twice' }),
);

/** `admin_nodeInfo`. */
export const adminInfoResult = z
  .strictObject({
    name: z.string(),
    role: z.string(),
    urls: z.record(z.string(), z.string()),
    dataDirectory: z.string(),
    chain: z.strictObject({ name: z.string(), chainId: jsonCount, genesis: hexHash }),
    head: blockName,
    reasons: z.array(z.string()),
  })
  .meta({ title: 'node' });

/** `admin_setLogLevel`. */
export const logLevelResult = z.enum(LOG_LEVELS);

/** `anvil_metadata` and `hardhat_metadata`. */
export const metadataResult = z
  .strictObject({
    clientVersion: z.string(),
    chainId: jsonCount,
    instanceId: hexHash,
    latestBlockNumber: jsonCount,
    latestBlockHash: hexHash,
  })
  .meta({ title: 'metadata' });

/** `anvil_nodeInfo`. */
export const anvilInfoResult = z
  .strictObject({
    currentBlockNumber: hexQuantity,
    currentBlockTimestamp: jsonCount,
    currentBlockHash: hexHash,
    hardFork: z.string(),
    transactionOrder: z.literal('fees'),
    environment: z.strictObject({ baseFee: hexQuantity, chainId: jsonCount, gasLimit: hexQuantity, gasPrice: hexQuantity }),
    forkConfig: z.strictObject({ forkUrl: z.null(), forkBlockNumber: z.null(), forkRetryBackoff: z.null() }),
  })
  .meta({ title: 'node of anvil' });

/** `rpc.discover`: OpenRPC. */
export const discoveryResult = z
  .looseObject({
    openrpc: z.string(),
    info: z.strictObject({ title: z.string(), version: z.string() }),
    methods: z.array(z.looseObject({ name: z.string() })),
  })
  .meta({ title: 'OpenRPC document' });

/** `rpc_modules`: versions by namespace. */
export const modulesResult = z.record(z.string(), z.literal('1.0'));
