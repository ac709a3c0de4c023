import { z } from 'zod';
import { hexAddress, hexBytes, hexHash, hexQuantity, jsonCount } from './scalar.ts';

/** How far a node has come that catches up. */
export const progressResult = z
  .strictObject({ startingBlock: hexQuantity, currentBlock: hexQuantity, highestBlock: hexQuantity })
  .meta({ title: 'progress' });

/** `eth_syncing`: false at the head. */
export const syncingResult = z.union([z.literal(false), progressResult]);

const ratio = z.number().min(0).max(1);

/** `eth_feeHistory`. */
export const feeHistoryResult = z
  .strictObject({
    oldestBlock: hexQuantity,
    baseFeePerGas: z.array(hexQuantity).optional(),
    gasUsedRatio: z.array(ratio).nullable(),
    baseFeePerBlobGas: z.array(hexQuantity).optional(),
    blobGasUsedRatio: z.array(ratio).optional(),
    reward: z.array(z.array(hexQuantity)).optional(),
  })
  .meta({ title: 'fee history' });

const rules = z
  .strictObject({
    activationTime: jsonCount,
    blobSchedule: z.strictObject({ target: jsonCount, max: jsonCount, baseFeeUpdateFraction: jsonCount }),
    chainId: hexQuantity,
    forkId: z.string().regex(/^0x[0-9a-f]{8}$/),
    precompiles: z.record(z.string(), hexAddress),
    systemContracts: z.record(z.string(), hexAddress),
  })
  .meta({ title: 'rules' });

/** `eth_config` (EIP-7910). */
export const configResult = z.strictObject({ current: rules, next: rules.nullable(), last: rules.nullable() }).meta({ title: 'config' });

const capability = z
  .strictObject({
    disabled: z.boolean(),
    oldestBlock: hexQuantity,
    deleteStrategy: z.strictObject({ type: z.literal('window'), retentionBlocks: hexQuantity }).optional(),
  })
  .meta({ title: 'capability' });

/** `eth_capabilities`. */
export const capabilitiesResult = z
  .strictObject({
    head: z.strictObject({ number: hexQuantity, hash: hexHash }),
    state: capability,
    tx: capability,
    logs: capability,
    receipts: capability,
    blocks: capability,
    stateproofs: capability,
  })
  .meta({ title: 'capabilities' });

/** `eth_getProof` (EIP-1186). */
export const proofResult = z
  .strictObject({
    address: hexAddress,
    accountProof: z.array(hexBytes),
    balance: hexQuantity,
    codeHash: hexHash,
    nonce: hexQuantity,
    storageHash: hexHash,
    storageProof: z.array(z.strictObject({ key: z.union([hexQuantity, hexHash]), value: hexQuantity, proof: z.array(hexBytes) })),
  })
  .meta({ title: 'proof' });
