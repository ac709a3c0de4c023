import type { HemidError } from '@hemid/protocol';
import { fail } from '../errors.ts';

/**
 * Calls a method of a Bitcoin node with positional parameters and answers with its `result`, parsed from JSON
 * (amounts are decimal BTC: see {@link satsFromBtc}).
 *
 * @throws `bitcoin/rpc` with details {rpcCode, rpcMessage, method} when the node refuses the call,
 * `bitcoin/pruned`, `bitcoin/warming-up`, `bitcoin/busy`, `bitcoin/credentials` or `bitcoin/unreachable`.
 */
export type BitcoinRpc = (method: string, params: readonly unknown[], signal?: AbortSignal) => Promise<unknown>;

/** The error of this package for an error object that Bitcoin Core's JSON-RPC answered with. */
export function toRpcError(method: string, rpcCode: number, rpcMessage: string): HemidError {
  const details = { rpcCode, rpcMessage, method };
  if (rpcCode === -28) return fail('bitcoin/warming-up', `the Bitcoin node is starting: ${rpcMessage}`, { details });
  if (rpcCode === -1 && /pruned data/.test(rpcMessage)) {
    return fail('bitcoin/pruned', `the Bitcoin node has pruned a block that is needed (${method}): use an unpruned bitcoind`, { details });
  }
  return fail('bitcoin/rpc', `${method}: ${rpcMessage} (${rpcCode})`, { details });
}
