import { crc32 } from 'node:zlib';
import { concat, toBigEndian } from '@hemid/protocol';
import type { RpcContext } from '../context.ts';
import { type MethodTable, method } from '../method.ts';
import { precompileName } from '../precompile-name.ts';
import { capabilitiesResult, configResult } from '../result/chain.ts';

/** What the rules at a time are (EIP-7910); the fork id is that of EIP-2124. */
function showRules(activation: bigint, { chain, rules }: RpcContext): object {
  const { blobs, precompiles, systemContracts } = rules.at(activation);
  const passed = [...rules.forks.blocks, ...rules.forks.times.filter((time) => time <= activation)];
  const forkId = crc32(concat(chain.head('earliest').hash, ...passed.map((at) => toBigEndian(at, 8))));
  return {
    activationTime: Number(activation),
    blobSchedule: blobs,
    chainId: BigInt(chain.spec.genesis.chainId),
    forkId: toBigEndian(BigInt(forkId), 4),
    precompiles: Object.fromEntries(precompiles.map((address) => [precompileName(address), address])),
    systemContracts,
  };
}

/** What the node can do, and by which rules. */
export const ethConfig: MethodTable = {
  eth_config: method({
    doc: 'The rules of now, the ones before, and the next that are planned (EIP-7910).',
    result: configResult,
    params: {},
    handle(_, context) {
      const { chain, rules } = context;
      const now = chain.head('latest').header.timestamp;
      const times = [chain.head('earliest').header.timestamp, ...rules.forks.times];
      const next = times.find((time) => time > now);
      const last = times.filter((time) => time <= now).at(-1) ?? 0n;
      const final = times.at(-1) ?? 0n;
      return {
        current: showRules(last, context),
        next: next === undefined ? null : showRules(next, context),
        last: next === undefined ? null : showRules(final, context),
      };
    },
  }),
  eth_capabilities: method({
    doc: 'From which block on the node answers questions about states, blocks, transactions, logs and proofs.',
    result: capabilitiesResult,
    params: {},
    handle(_, { chain, status }) {
      const head = chain.head('latest');
      const all = { disabled: false, oldestBlock: 0n };
      const window = status.stateWindow;
      const oldest = window === undefined || head.header.number < BigInt(window) ? 0n : head.header.number - BigInt(window);
      const retention = window === undefined ? undefined : { type: 'window', retentionBlocks: BigInt(window) };
      const states = { disabled: false, oldestBlock: oldest, deleteStrategy: retention };
      return {
        head: { number: head.header.number, hash: head.hash },
        state: states,
        tx: all,
        logs: all,
        receipts: all,
        blocks: all,
        stateproofs: states,
      };
    },
  }),
};
