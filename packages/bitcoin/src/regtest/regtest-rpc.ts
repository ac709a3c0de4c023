import { isHemidError } from '@hemid/protocol';
import { type BitcoinRpc, toRpcError } from '../rpc/bitcoin-rpc.ts';
import type { RegtestNode } from './regtest-node.ts';
import { chainMethods } from './rpc-chain.ts';
import { controlMethods } from './rpc-control.ts';
import { mempoolMethods } from './rpc-mempool.ts';
import type { RegtestMethod } from './rpc-method.ts';
import { RpcCode, readParams, refuse } from './rpc-params.ts';

/** Runs `fn` when all that was handed in before has ended, so that no call sees another half done. */
export type Exclusive = <T>(fn: () => Promise<T> | T) => Promise<T>;

/** The embedded Bitcoin's methods as a {@link BitcoinRpc}; parameters may also be an object by name. */
export function createRegtestRpc(node: RegtestNode, exclusive: Exclusive, own: Record<string, RegtestMethod>): BitcoinRpc {
  const methods = new Map(Object.entries({ ...chainMethods, ...mempoolMethods, ...controlMethods, ...own }));
  return async (method, params) => {
    try {
      const row = methods.get(method);
      if (row === undefined) throw refuse(RpcCode.METHOD_NOT_FOUND, 'Method not found');
      const values = readParams(method, row.params, params);
      return await exclusive(() => row.handle(node, values));
    } catch (error) {
      if (!isHemidError(error, 'bitcoin/rpc')) throw error;
      const { rpcCode, rpcMessage } = error.details;
      throw toRpcError(method, Number(rpcCode ?? RpcCode.MISC), String(rpcMessage ?? error.message));
    }
  };
}
