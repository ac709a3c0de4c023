import { keccak_256 } from '@noble/hashes/sha3.js';
import { z } from 'zod';
import { type MethodTable, method } from '../method.ts';
import { data } from '../param.ts';
import { hexHash, hexQuantity } from '../result/scalar.ts';

/** The small namespaces: net_, web3_. */
export const net: MethodTable = {
  net_version: method({
    doc: 'The chain id in decimal.',
    result: z.string().regex(/^\d+$/),
    params: {},
    handle: (_, { chain }) => String(chain.spec.genesis.chainId),
  }),
  net_listening: method({
    doc: 'Always true.',
    result: z.boolean(),
    params: {},
    handle: () => true,
  }),
  net_peerCount: method({
    doc: 'How many peers the node has; it has no network of its own yet.',
    result: hexQuantity,
    params: {},
    handle: () => 0n,
  }),
  web3_clientVersion: method({
    doc: 'Name and version of the node.',
    result: z.string(),
    params: {},
    handle: (_, { status }) => status.clientVersion,
  }),
  web3_sha3: method({
    doc: 'The keccak256 of the data.',
    result: hexHash,
    params: { data },
    handle: (values) => keccak_256(values.data),
  }),
};
