import { fromDisplay, fromKeystoneJson, type Keystone, toHex } from '@hemid/protocol';
import { fail } from './errors.ts';
import { createNodeRpc } from './node-rpc.ts';
import type { KeystoneOrigin, KeystoneSource } from './ports.ts';

/**
 * A {@link KeystoneSource} over an L2 node's JSON-RPC (protocol section 12). `timeoutMs`: how long one call may take.
 *
 * @throws `pop-miner/node-unfit` for a URL that is none; its methods throw the `pop-miner/node-…` errors.
 */
export function createRpcKeystoneSource(url: string, options: { timeoutMs: number }): KeystoneSource {
  const call = createNodeRpc(url, options);
  return {
    async latest(count, signal) {
      const keystones = await call({ method: 'kss_getLatestKeystones', params: [count], parse: toKeystones }, signal);
      return keystones.slice(0, count);
    },
    origin: (blockHash, signal) => call({ method: 'eth_getBlockByHash', params: [toHex(blockHash), false], parse: toOrigin }, signal),
  };
}

function toKeystones(result: unknown): Keystone[] {
  const { keystones, error } = (result ?? {}) as { keystones?: unknown; error?: { message?: string } | null };
  if (error !== undefined && error !== null) throw fail('pop-miner/node-answer', `the L2 node has no keystones to give: ${error.message}`);
  // Go's JSON writes an empty list as null.
  return keystones === null ? [] : (keystones as unknown[]).map(fromKeystoneJson);
}

function toOrigin(result: unknown): KeystoneOrigin {
  if (result === null) throw fail('pop-miner/node-answer', 'the L2 node does not know the block of a keystone it gave: it reorganised');
  const { extraData, timestamp } = result as { extraData: string; timestamp: string };
  return { bitcoinTip: fromDisplay(extraData), timeMs: Number(BigInt(timestamp)) * 1000 };
}
