import { fromDisplay, fromKeystoneJson, isHemidError, type Keystone, toHex } from '@hemid/protocol';
import { fail } from './errors.ts';
import type { KeystoneOrigin, KeystoneSource } from './ports.ts';

const METHOD_NOT_FOUND = -32601;

interface Answer {
  result?: unknown;
  error?: { code?: number; message?: string } | null;
}

/**
 * A {@link KeystoneSource} over an L2 node's JSON-RPC (protocol section 12). A ws or wss URL is spoken to over http or
 * https; `user:password@` becomes basic authentication. `timeoutMs`: how long one call may take.
 *
 * @throws `pop-miner/node-unfit` for a URL that is none; its methods throw the `pop-miner/node-…` errors.
 */
export function createRpcKeystoneSource(url: string, { timeoutMs }: { timeoutMs: number }): KeystoneSource {
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

  async function call(method: string, params: readonly unknown[], signal?: AbortSignal): Promise<unknown> {
    const { result, error } = toAnswer(await post(method, params, signal), endpoint);
    if (error === undefined || error === null) return result;
    if (error.code === METHOD_NOT_FOUND) {
      throw fail('pop-miner/node-unfit', `the L2 node at ${endpoint} has no ${method}: its RPC must serve the namespaces eth and kss`);
    }
    throw fail('pop-miner/node-answer', `the L2 node at ${endpoint} refused ${method}: ${error.message} (${error.code})`);
  }

  return {
    async latest(count, signal) {
      const keystones = read('kss_getLatestKeystones', await call('kss_getLatestKeystones', [count], signal), toKeystones);
      return keystones.slice(0, count);
    },
    async origin(blockHash, signal) {
      return read('eth_getBlockByHash', await call('eth_getBlockByHash', [toHex(blockHash), false], signal), toOrigin);
    },
  };
}

function readUrl(text: string): { endpoint: string; authorization: Record<string, string> } {
  const url = URL.canParse(text) ? new URL(text.replace(/^ws/i, 'http')) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw fail('pop-miner/node-unfit', 'the URL of the L2 node cannot be read: it looks like http://127.0.0.1:8545 or ws://127.0.0.1:8546');
  }
  const login = [url.username, url.password].map(decodeURIComponent).join(':');
  // fetch refuses a URL with credentials, and errors that name the endpoint must not print them.
  url.username = '';
  url.password = '';
  return { endpoint: url.href, authorization: login === ':' ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` } };
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

/** What `parse` makes of a result; what it cannot read is the node's fault, not this miner's. */
function read<T>(method: string, result: unknown, parse: (result: unknown) => T): T {
  try {
    return parse(result);
  } catch (cause) {
    if (isHemidError(cause, 'pop-miner/node-answer')) throw cause;
    throw fail('pop-miner/node-answer', `the L2 node's answer to ${method} cannot be read: ${reasonOf(cause)}`, { cause });
  }
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

function reasonOf(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { message?: string; code?: string } };
  return cause?.message || cause?.code || message || String(error);
}
