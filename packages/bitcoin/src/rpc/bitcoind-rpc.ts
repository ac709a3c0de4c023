import { readFile } from 'node:fs/promises';
import { type HemidError, isHemidError } from '@hemid/protocol';
import type { Secret } from '@hemid/runtime';
import { fail } from '../errors.ts';
import { type BitcoinRpc, toRpcError } from './bitcoin-rpc.ts';
import { type HttpAnswer, httpPost } from './http-post.ts';

export interface BitcoindRpcOptions {
  /** e.g. `http://127.0.0.1:8332`; may carry `user:password@`. */
  url: string;
  /** bitcoind's `.cookie`; read anew when it is refused, for bitcoind writes a new one at every start. */
  cookieFile?: string;
  user?: string;
  password?: Secret<string>;
  /** How long one call may take, in milliseconds. */
  timeoutMs: number;
}

interface Answer {
  result?: unknown;
  error?: { code: number; message: string } | null;
}

/** A {@link BitcoinRpc} over HTTP, as Bitcoin Core and Knots serve it. */
export function createBitcoindRpc(options: BitcoindRpcOptions): BitcoinRpc {
  const { endpoint, user, password } = readUrl(options);
  let cookie: string | undefined;
  let calls = 0;

  async function credentials(): Promise<string | undefined> {
    if (options.cookieFile === undefined) return user === undefined ? undefined : `${user}:${password ?? ''}`;
    cookie ??= await readCookie(options.cookieFile);
    return cookie;
  }

  async function post(method: string, params: readonly unknown[], signal: AbortSignal): Promise<HttpAnswer> {
    const login = await credentials();
    const authorization = login === undefined ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` };
    calls += 1;
    return httpPost({
      url: endpoint,
      headers: { 'content-type': 'application/json', ...authorization },
      body: JSON.stringify({ jsonrpc: '1.0', id: calls, method, params }),
      signal,
    });
  }

  return async (method, params, caller) => {
    const timeout = AbortSignal.timeout(options.timeoutMs);
    const signal = caller === undefined ? timeout : AbortSignal.any([caller, timeout]);
    try {
      let response = await post(method, params, signal);
      if (response.status === 401 && options.cookieFile !== undefined) {
        cookie = undefined;
        response = await post(method, params, signal);
      }
      return readAnswer(method, response.status, response.text, endpoint);
    } catch (error) {
      if (isHemidError(error)) throw error;
      const reason = timeout.aborted ? `no answer to ${method} within ${options.timeoutMs} ms` : reasonOf(error);
      throw fail('bitcoin/unreachable', `the Bitcoin node at ${endpoint} cannot be reached: ${reason}`, { cause: error });
    }
  };
}

function readUrl(options: BitcoindRpcOptions): { endpoint: string; user: string | undefined; password: string | undefined } {
  let url: URL;
  try {
    url = new URL(options.url);
  } catch {
    throw fail('bitcoin/credentials', 'the URL of the Bitcoin node cannot be read: it looks like http://127.0.0.1:8332');
  }
  const user = options.user ?? (url.username === '' ? undefined : decodeURIComponent(url.username));
  const password = options.password?.reveal() ?? (url.password === '' ? undefined : decodeURIComponent(url.password));
  // Credentials go into a header; errors that name the endpoint must not print them.
  url.username = '';
  url.password = '';
  return { endpoint: url.href, user, password };
}

async function readCookie(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      throw fail('bitcoin/unreachable', `there is no cookie file ${file}: bitcoind writes it while it runs`, { cause });
    }
    throw fail('bitcoin/credentials', `the cookie file ${file} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

function readAnswer(method: string, status: number, body: string, endpoint: string): unknown {
  if (status === 401 || status === 403) throw refused(status, endpoint);
  if (status === 503) throw fail('bitcoin/busy', `the Bitcoin node at ${endpoint} is busy: ${body.trim()}`);
  let answer: Answer;
  try {
    answer = JSON.parse(body) as Answer;
  } catch (cause) {
    throw fail('bitcoin/unreachable', `${endpoint} answered HTTP ${status} and no JSON: is it a Bitcoin node's RPC port?`, { cause });
  }
  if (answer.error !== undefined && answer.error !== null) {
    throw toRpcError(method, answer.error.code, answer.error.message);
  }
  return answer.result;
}

function refused(status: number, endpoint: string): HemidError {
  const advice =
    status === 403
      ? 'check rpcallowip and rpcwhitelist in bitcoin.conf'
      : 'check user and password (rpcauth or rpcuser in bitcoin.conf), or that the cookie file is the one of this node';
  return fail('bitcoin/credentials', `the Bitcoin node at ${endpoint} refused the credentials (HTTP ${status}): ${advice}`);
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { message?: string; code?: string } };
  return cause?.message || cause?.code || message || String(error);
}
