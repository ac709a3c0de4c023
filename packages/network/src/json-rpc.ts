import { isHemidError } from '@hemid/protocol';
import { fail } from './errors.ts';

/** Calls a method of another node; @throws `network/unreachable` (retry) or `network/refused`. */
export type JsonRpcCall = (method: string, params: readonly unknown[], signal?: AbortSignal) => Promise<unknown>;

interface Answer {
  result?: unknown;
  error?: { code: number; message: string };
}

/** A JSON-RPC client over HTTP. `timeoutMs` bounds each call. */
export function createJsonRpc(url: string, options: { timeoutMs: number }): JsonRpcCall {
  let calls = 0;
  return async (method, params, caller) => {
    calls += 1;
    const timeout = AbortSignal.timeout(options.timeoutMs);
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: calls, method, params }),
        signal: caller === undefined ? timeout : AbortSignal.any([caller, timeout]),
      });
      const answer = (await response.json()) as Answer;
      if (answer.error === undefined) return answer.result;
      throw fail('network/refused', answer.error.message, { details: { rpcCode: answer.error.code, method } });
    } catch (error) {
      if (isHemidError(error)) throw error;
      const reason = (error as { cause?: Error }).cause?.message ?? (error as Error).message;
      throw fail('network/unreachable', `the upstream node at ${url} cannot be reached: ${reason}`, { cause: error });
    }
  };
}
