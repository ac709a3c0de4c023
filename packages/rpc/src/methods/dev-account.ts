import { z } from 'zod';
import { type Method, type MethodTable, method } from '../method.ts';
import { address, data, hash, slot } from '../param.ts';
import { anvilInfoResult, metadataResult } from '../result/node.ts';
import { hexHash } from '../result/scalar.ts';
import { amount, developmentOf, underPrefixes } from './dev-param.ts';

const word = amount.refine((value) => value < 2n ** 256n, 'must have at most 256 bits');
const nonce = amount.refine((value) => value < 2n ** 64n - 1n, 'must have at most 64 bits');

const rows: Record<string, Method> = {
  setBalance: method({
    doc: 'Sets the balance of an account, in wei; a block of its own says so.',
    result: z.literal(true),
    params: { address, balance: word },
    async handle({ address: at, balance }, context) {
      await developmentOf(context).write([{ address: at, balance }]);
      return true;
    },
  }),
  setNonce: method({
    doc: 'Sets the nonce of an account.',
    result: z.literal(true),
    params: { address, nonce },
    async handle({ address: at, nonce: next }, context) {
      await developmentOf(context).write([{ address: at, nonce: next }]);
      return true;
    },
  }),
  setCode: method({
    doc: 'Sets the code of an account.',
    result: z.literal(true),
    params: { address, code: data },
    async handle({ address: at, code }, context) {
      await developmentOf(context).write([{ address: at, code }]);
      return true;
    },
  }),
  setStorageAt: method({
    doc: 'Sets a storage slot of an account.',
    result: z.literal(true),
    params: { address, slot, value: slot },
    async handle({ address: at, slot: key, value }, context) {
      await developmentOf(context).write([{ address: at, slot: key, value }]);
      return true;
    },
  }),
  impersonateAccount: method({
    doc: 'Lets eth_sendTransaction send in the name of an account whose key nobody has.',
    result: z.literal(true),
    params: { address },
    handle(values, context) {
      developmentOf(context).impersonate(values.address);
      return true;
    },
  }),
  stopImpersonatingAccount: method({
    doc: 'Ends that.',
    result: z.literal(true),
    params: { address },
    handle(values, context) {
      developmentOf(context).stopImpersonating(values.address);
      return true;
    },
  }),
};

const metadata = method({
  doc: 'Name, version, chain and head of the node.',
  result: metadataResult,
  params: {},
  handle(_, { chain, status }) {
    const { header, hash: latestBlockHash } = chain.head('latest');
    const { chainId } = chain.spec.genesis;
    const instanceId = chain.head('earliest').hash;
    return { clientVersion: status.clientVersion, chainId, instanceId, latestBlockNumber: Number(header.number), latestBlockHash };
  },
});

const setLoggingEnabled = method({
  doc: 'Taken, and without effect: this node does not log what it is asked.',
  result: z.literal(true),
  params: { enabled: z.boolean() },
  handle: () => true,
});

/** Accounts of a development network, set and borrowed. */
export const devAccount: MethodTable = {
  ...underPrefixes(['anvil', 'hardhat'], { ...rows, metadata, setLoggingEnabled }),
  anvil_autoImpersonateAccount: method({
    doc: 'Lets eth_sendTransaction send in the name of every account, or no longer.',
    result: z.null(),
    params: { enabled: z.boolean() },
    handle({ enabled }, context) {
      developmentOf(context).impersonateAll(enabled ? 'on' : 'off');
    },
  }),
  anvil_dropTransaction: method({
    doc: 'Takes a transaction out of what waits for a block; gives its hash, or null when it is not there.',
    result: hexHash.nullable(),
    params: { hash },
    handle: (values, context) => (developmentOf(context).drop(values.hash) ? values.hash : undefined),
  }),
  hardhat_dropTransaction: method({
    doc: 'Takes a transaction out of what waits for a block; false when it is not there.',
    result: z.boolean(),
    params: { hash },
    handle: (values, context) => developmentOf(context).drop(values.hash),
  }),
  anvil_nodeInfo: method({
    doc: 'Head, rules and prices of the node, in the form of anvil.',
    result: anvilInfoResult,
    params: {},
    handle(_, { chain }) {
      const { header, hash: currentBlockHash } = chain.head('latest');
      const { chainId, gasLimit, hardfork: hardFork } = chain.spec.genesis;
      return {
        currentBlockNumber: header.number,
        currentBlockTimestamp: Number(header.timestamp),
        currentBlockHash,
        hardFork,
        transactionOrder: 'fees',
        environment: { baseFee: header.baseFeePerGas, chainId, gasLimit, gasPrice: header.baseFeePerGas },
        forkConfig: { forkUrl: null, forkBlockNumber: null, forkRetryBackoff: null },
      };
    },
  }),
};
