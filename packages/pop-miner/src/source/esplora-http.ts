import { z } from 'zod';
import { fail } from '../errors.ts';
import { reasonOf, splitLogin } from '../http-login.ts';

/** Questions to an Esplora server; all throw `pop-miner/bitcoin-unreachable` and `pop-miner/bitcoin-answer` (both `retry`). */
export interface EsploraHttp {
  /** `undefined` when there is no such thing. */
  text(path: string, signal?: AbortSignal): Promise<string | undefined>;
  bytes(path: string, signal?: AbortSignal): Promise<Uint8Array | undefined>;
  readJson<T>(path: string, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T | undefined>;
  /** @throws also `pop-miner/chain-moves` (retry) when there is no such thing. */
  getText<T>(path: string, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T>;
  getJson<T>(path: string, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T>;
  /** @throws also `pop-miner/refused` (retry), with the server's words. */
  post(path: string, body: string, signal?: AbortSignal): Promise<string>;
}

/** A hash or txid, display order. */
export const hash = z.string().regex(/^[0-9a-f]{64}$/, 'is no hash');
/** An amount, which Esplora always gives in sats. */
export const sats = z.number().int().min(0).transform(BigInt);

const HTTP_BAD_REQUEST = 400;
const HTTP_NOT_FOUND = 404;
const HTTP_TOO_MANY = 429;

/**
 * An Esplora HTTP API at a URL like `https://blockstream.info/api`, `user:password@` allowed. `timeoutMs`: how long one
 * answer may take.
 *
 * @throws `pop-miner/bitcoin-unfit` for a URL that is none.
 */
export function createEsploraHttp(url: string, { timeoutMs }: { timeoutMs: number }): EsploraHttp {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw fail('pop-miner/bitcoin-unfit', 'the URL of the Esplora server cannot be read: it looks like https://blockstream.info/api');
  }
  const { endpoint, authorization } = splitLogin(new URL(url));
  const base = endpoint.replace(/\/+$/, '');

  async function ask<T>(
    { path, body, read }: { path: string; body?: string; read: (response: Response) => Promise<T> },
    caller?: AbortSignal,
  ): Promise<{ status: number; ok: boolean; content: T }> {
    const timeout = AbortSignal.timeout(timeoutMs);
    const signal = caller === undefined ? timeout : AbortSignal.any([caller, timeout]);
    try {
      const response = await fetch(`${base}${path}`, { headers: authorization, signal, ...(body === undefined ? {} : { method: 'POST', body }) });
      return { status: response.status, ok: response.ok, content: await read(response) };
    } catch (cause) {
      const reason = timeout.aborted ? `no answer to ${path} within ${timeoutMs} ms` : reasonOf(cause);
      throw fail('pop-miner/bitcoin-unreachable', `the Esplora server at ${base} cannot be reached: ${reason}`, { cause });
    }
  }

  async function get(path: string, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const { status, ok, content } = await ask({ path, read: async (response) => new Uint8Array(await response.arrayBuffer()) }, signal);
    if (ok) return content;
    const words = new TextDecoder().decode(content.subarray(0, 200)).trim();
    // Some answer 400 for a block or a transaction that they do not have.
    if (status === HTTP_NOT_FOUND || (status === HTTP_BAD_REQUEST && /not found/i.test(words))) return undefined;
    const why = status === HTTP_TOO_MANY ? 'it wants fewer questions from here' : words;
    throw fail('pop-miner/bitcoin-answer', `the Esplora server at ${base} refused ${path} (HTTP ${status}): ${why}`);
  }

  async function text(path: string, signal?: AbortSignal): Promise<string | undefined> {
    const content = await get(path, signal);
    return content === undefined ? undefined : new TextDecoder().decode(content).trim();
  }

  async function readJson<T>(path: string, schema: z.ZodType<T>, signal?: AbortSignal): Promise<T | undefined> {
    const content = await text(path, signal);
    return content === undefined ? undefined : check(path, schema, () => JSON.parse(content));
  }

  function check<T>(path: string, schema: z.ZodType<T>, content: () => unknown): T {
    try {
      return schema.parse(content());
    } catch (cause) {
      const reason = cause instanceof z.ZodError ? z.prettifyError(cause).replace(/\s+/g, ' ') : 'it is not JSON';
      throw fail('pop-miner/bitcoin-answer', `the answer of ${base} to ${path} cannot be read (is it an Esplora API?): ${reason}`, { cause });
    }
  }

  function assertThere<T>(path: string, found: T | undefined): T {
    if (found !== undefined) return found;
    throw fail('pop-miner/chain-moves', `the Esplora server at ${base} has no ${path} (any more)`);
  }

  return {
    text,
    bytes: get,
    readJson,
    async getText(path, schema, signal) {
      const found = assertThere(path, await text(path, signal));
      return check(path, schema, () => found);
    },
    getJson: async (path, schema, signal) => assertThere(path, await readJson(path, schema, signal)),
    async post(path, body, signal) {
      const { status, ok, content } = await ask({ path, body, read: (response) => response.text() }, signal);
      if (ok) return content.trim();
      const words = content.trim().slice(0, 300);
      if (status === HTTP_BAD_REQUEST) throw fail('pop-miner/refused', `the Esplora server refused a transaction: ${words}`, { details: { words } });
      throw fail('pop-miner/bitcoin-answer', `the Esplora server at ${base} refused ${path} (HTTP ${status}): ${words}`);
    },
  };
}
