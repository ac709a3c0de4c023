import { nextBaseFee } from '@hemid/hvm';
import { z } from 'zod';
import { blockNumber, readBlockHeader } from '../block-id.ts';
import { fail } from '../errors.ts';
import { readFeeHistory, suggestTip } from '../fee-history.ts';
import { type MethodTable, method } from '../method.ts';
import { count } from '../param.ts';
import { feeHistoryResult, syncingResult } from '../result/chain.ts';
import { hexAddress, hexQuantity } from '../result/scalar.ts';

const MAX_FEE_BLOCKS = 1024;

const percentiles = z
  .array(z.number().min(0).max(100), 'must be a list of percentiles between 0 and 100')
  .max(100, 'must be at most 100 percentiles')
  .refine((list) => list.every((value, i) => i === 0 || value >= (list[i - 1] ?? 0)), 'must ascend');

/** The chain as a whole, and what its gas costs. */
export const ethChain: MethodTable = {
  eth_chainId: method({
    doc: 'The chain id.',
    result: hexQuantity,
    params: {},
    handle: (_, { chain }) => BigInt(chain.spec.genesis.chainId),
  }),
  eth_blockNumber: method({
    doc: 'The number of the latest block.',
    result: hexQuantity,
    params: {},
    handle: (_, { chain }) => chain.head('latest').header.number,
  }),
  eth_syncing: method({
    doc: 'How far this node has come, or false when it is at the head.',
    result: syncingResult,
    params: {},
    handle: (_, { status }) => status.syncing(),
  }),
  eth_accounts: method({
    doc: 'The accounts of a development network; elsewhere none: a node holds no keys of users.',
    result: z.array(hexAddress),
    params: {},
    handle: (_, { development }) => development?.accounts() ?? [],
  }),
  eth_gasPrice: method({
    doc: 'A price for legacy transactions: base fee of the latest block plus the suggested tip, in wei.',
    result: hexQuantity,
    params: {},
    handle: (_, { chain }) => chain.head('latest').header.baseFeePerGas + suggestTip(chain),
  }),
  eth_maxPriorityFeePerGas: method({
    doc: 'The suggested tip, in wei.',
    result: hexQuantity,
    params: {},
    handle: (_, { chain }) => suggestTip(chain),
  }),
  eth_baseFee: method({
    doc: 'The base fee of the next block, in wei.',
    result: hexQuantity,
    params: {},
    handle: (_, { chain }) => nextBaseFee(chain.spec, chain.head('latest').header),
  }),
  eth_blobBaseFee: method({
    doc: 'What blob gas would cost in the next block, in wei; blocks here carry no blobs.',
    result: hexQuantity,
    params: {},
    handle: (_, { chain, rules }) => rules.blobBaseFee(chain.head('latest').header),
  }),
  eth_feeHistory: method({
    doc: 'Base fees, fullness and tips at percentiles of up to 1024 blocks.',
    result: feeHistoryResult,
    params: { blockCount: count, newestBlock: blockNumber, rewardPercentiles: percentiles.optional() },
    handle({ blockCount, newestBlock, rewardPercentiles }, { chain, rules }) {
      const newest = readBlockHeader(chain, newestBlock);
      if (newest === undefined) {
        const asked = 'number' in newestBlock ? newestBlock.number : newestBlock;
        throw fail('rpc/not-found', `request beyond head block: requested ${asked}, head ${chain.head('latest').header.number}`);
      }
      if (blockCount === 0) return { oldestBlock: 0n, gasUsedRatio: null };
      const length = BigInt(Math.min(blockCount, MAX_FEE_BLOCKS));
      return readFeeHistory({ chain, rules }, { newest, count: length }, rewardPercentiles);
    },
  }),
};
