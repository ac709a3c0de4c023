import { addressToScript } from '@hemid/protocol';
import { readBlock } from './block.ts';
import { getNode } from './rpc-chain.ts';
import type { RegtestMethod } from './rpc-method.ts';
import { RpcCode, readHex, readInt, refuse } from './rpc-params.ts';
import { toAmount } from './rpc-shape.ts';
import { RELAY_FEE_RATE } from './standard.ts';

/** What clients compare: the release of Core whose answers these are. */
const CORE_VERSION = 290000;

/** Methods that make and unmake blocks, and those about the node itself. */
export const controlMethods: Record<string, RegtestMethod> = {
  generatetoaddress: {
    params: [
      { name: 'nblocks', type: 'number' },
      { name: 'address', type: 'string' },
      { name: 'maxtries', type: 'number', optional: true },
    ],
    async handle(node, [count, address]) {
      const script = addressToScript(String(address), 'regtest');
      if (script === undefined) throw refuse(RpcCode.ADDRESS_OR_KEY, 'Error: Invalid address');
      const { mined, reason } = await node.mine({ count: readInt(count), script });
      if (reason !== undefined) throw refuse(RpcCode.INTERNAL, 'ProcessNewBlock, block not accepted');
      return mined.map(({ id }) => id);
    },
  },

  submitblock: {
    params: [
      { name: 'hexdata', type: 'string' },
      { name: 'dummy', type: 'any', optional: true },
    ],
    async handle(node, [hex]) {
      const raw = readHex(String(hex));
      const block = raw === undefined ? undefined : readBlock(raw);
      if (block === undefined) throw refuse(RpcCode.DESERIALIZATION, 'Block decode failed');
      return (await node.submitBlock(block)) ?? null;
    },
  },

  invalidateblock: {
    params: [{ name: 'blockhash', type: 'string' }],
    async handle(node, [hash]) {
      await node.invalidate(getNode(node.chain, hash, 'blockhash'));
      return null;
    },
  },

  reconsiderblock: {
    params: [{ name: 'blockhash', type: 'string' }],
    async handle(node, [hash]) {
      await node.reconsider(getNode(node.chain, hash, 'blockhash'));
      return null;
    },
  },

  estimatesmartfee: {
    params: [
      { name: 'conf_target', type: 'number' },
      { name: 'estimate_mode', type: 'string', optional: true },
    ],
    handle(_, [target, mode = 'unset']) {
      const blocks = readInt(target);
      if (blocks < 1 || blocks > 1008) throw refuse(RpcCode.PARAMETER, 'Invalid conf_target, must be between 1 and 1008');
      if (!['unset', 'economical', 'conservative'].includes(String(mode).toLowerCase())) {
        throw refuse(RpcCode.PARAMETER, 'Invalid estimate_mode parameter, must be one of: "unset", "economical", "conservative"');
      }
      return { errors: ['Insufficient data or no feerate found'], blocks: 0 };
    },
  },

  getnetworkinfo: {
    params: [],
    handle: () => ({
      version: CORE_VERSION,
      subversion: '/hemid-regtest:0.1.0/',
      protocolversion: 70016,
      localservices: '0000000000000009',
      localservicesnames: ['NETWORK', 'WITNESS'],
      localrelay: true,
      timeoffset: 0,
      networkactive: true,
      connections: 0,
      connections_in: 0,
      connections_out: 0,
      networks: [],
      relayfee: toAmount(RELAY_FEE_RATE),
      incrementalfee: toAmount(RELAY_FEE_RATE),
      localaddresses: [],
      warnings: [],
    }),
  },
};
