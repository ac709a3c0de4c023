import { isHemidError } from '@hemid/protocol';
import { fail } from './errors.ts';
import { reasonOf, splitLogin } from './http-login.ts';

/**
 * Calls a method of an L2 node and hands its result to `parse`.
 *
 * @throws the `pop-miner/node-…` errors; what `parse` throws is the node's fault, and becomes `pop-miner/node-answer`.
 */
export type NodeRpc = <T>(call: { method: string; params: readonly unknown[]; parse: (result: unknown) => T }, signal?: AbortSignal) => Promise<T>;

const METHOD_NOT_FOUND = -32601;

interface Answer {
  result?: unknown;
  error?: { code?: number; message?: string } | null;
}

/**
 * An L2 node's JSON-RPC over HTTP. A ws or wss URL is spoken to over http or https; `user:password@` becomes basic
 * authentication. `timeoutMs`: how long one call may take.
 *
 * @throws `pop-miner/node-unfit` for a URL that is none.
 */
export function createNodeRpc(url: string, { timeoutMs }: { timeoutMs: number }): NodeRpc {
  const { endpoint, authorization } = readUrl(url);
  let calls = 0;

  async function post(method: string, params: readonly unknown[], caller?: AbortSignal): Promise<string> {
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = caller === undefined ? timeout : AbortSignal.any([caller, timeout]);
    calls += 1;
    try {
      const response = await fetch(endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...authorization },
        body: JSON.stringify({ jsonrpc: '2.0', id: calls, method, params }),
        signal,
      });
      return await response.text();
    } catch (cause) {
      const reason = timeout.aborted ? `no answer to ${method} within ${timeoutMs} ms` : reasonOf(cause);
      throw fail('pop-miner/node-unreachable', `the L2 node at ${endpoint} cannot be reached: ${reason}`, { cause });
    }
  }

  return async ({ method, params, parse }, signal) => {
    const { result, error } = toAnswer(await post(method, params, signal), endpoint);
    if (error === undefined || error === null) return read(method, result, parse);
    if (error.code === METHOD_NOT_FOUND) {
      throw fail('pop-miner/node-unfit', `the L2 node at ${endpoint} has no ${method}: its RPC must serve the namespaces eth and kss`);
    }
    throw fail('pop-miner/node-answer', `the L2 node at ${endpoint} refused ${method}: ${error.message} (${error.code})`);
  };
}

function readUrl(text: string): { endpoint: string; authorization: Record<string, string> } {
  const url = URL.canParse(text) ? new URL(text.replace(/^ws/i, 'http')) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw fail('pop-miner/node-unfit', 'the URL of the L2 node cannot be read: it looks like http://127.0.0.1:8545 or ws://127.0.0.1:8546');
  }
  return splitLogin(url);
}

function toAnswer(body: string, endpoint: string): Answer {
  try {
    const answer = JSON.parse(body) as unknown;
    if (typeof answer === 'object' && answer !== null) return answer as Answer;
  } catch {
    // Not JSON: said below, as for JSON that is no object.
  }
  throw fail('pop-miner/node-answer', `${endpoint} does not answer with JSON-RPC: is it an L2 node's RPC port?`);
}

function read<T>(method: string, result: unknown, parse: (result: unknown) => T): T {
  try {
    return parse(result);
  } catch (cause) {
    if (isHemidError(cause, 'pop-miner/node-answer')) throw cause;
    throw fail('pop-miner/node-answer', `the L2 node's answer to ${method} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}
