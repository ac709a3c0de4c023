import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fromHex, isHemidError, toDigits } from '@hemid/protocol';
import type { Secret, Service } from '@hemid/runtime';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { fail } from '../errors.ts';
import type { PartialExchange, Received } from './exchange.ts';

export interface HttpExchangeOptions {
  host: string;
  /** 0 = a free one. */
  port: number;
  /** Base URLs of the other custodians. */
  peers: readonly string[];
  /** What all custodians of the vault share; questions and answers carry a MAC under it. */
  secret: Secret<Uint8Array>;
  timeoutMs: number;
}

const PATH = /^\/v1\/partial\/([0-9a-f]{64})$/;
const MAC = 'x-hemid-mac';
const MAX_ANSWER = 2_000_000;
const SHOWN = 16;

/**
 * Exchange by HTTP: `GET /v1/partial/<txid>` answers with the PSBT of that batch. Question and answer carry
 * HMAC-SHA256 under the shared secret, over "ask " ‖ txid and over "tell " ‖ txid ‖ body: strangers learn nothing
 * and say nothing. What the PSBT holds is checked apart from that.
 */
export function createHttpExchange(options: HttpExchangeOptions): PartialExchange & Service & { url(): string } {
  const shown = new Map<string, string>();
  const macOf = (text: string): Uint8Array => hmac(sha256, options.secret.reveal(), new TextEncoder().encode(text));
  const isMac = (given: unknown, text: string): boolean =>
    typeof given === 'string' && /^[0-9a-f]{64}$/.test(given) && timingSafeEqual(fromHex(given), macOf(text));

  function answerTo({ method, url = '', headers }: IncomingMessage): { status: number; body?: string } {
    const txid = PATH.exec(url)?.[1];
    if (method !== 'GET' || txid === undefined) return { status: 404 };
    if (!isMac(headers[MAC], `ask ${txid}`)) return { status: 401 };
    const psbt = shown.get(txid);
    return psbt === undefined ? { status: 204 } : { status: 200, body: psbt };
  }

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const { status, body } = answerTo(request);
    const txid = PATH.exec(request.url ?? '')?.[1];
    response.writeHead(status, body === undefined ? {} : { 'content-type': 'text/plain', [MAC]: toDigits(macOf(`tell ${txid}${body}`)) });
    response.end(body);
  }

  const server = createServer({ maxHeaderSize: 8_192, requestTimeout: 10_000 }, answer);

  async function ask(peer: string, txid: string, signal?: AbortSignal): Promise<Received | undefined> {
    const timeout = AbortSignal.timeout(options.timeoutMs);
    try {
      const response = await fetch(new URL(`/v1/partial/${txid}`, peer), {
        headers: { [MAC]: toDigits(macOf(`ask ${txid}`)) },
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      });
      if (response.status === 204) return undefined;
      if (response.status !== 200) throw fail('tunnel/peer', `it answers with status ${response.status}`);
      const psbt = await readBody(response);
      if (isMac(response.headers.get(MAC), `tell ${txid}${psbt}`)) return { from: peer, psbt };
      throw fail('tunnel/peer', 'its answer does not carry the MAC of the shared secret');
    } catch (error) {
      if (isHemidError(error)) throw error;
      throw fail('tunnel/peer', `it cannot be reached: ${(error as { cause?: Error }).cause?.message ?? (error as Error).message}`, { cause: error });
    }
  }

  return {
    name: 'custodian exchange',
    url: () => `http://${options.host}:${(server.address() as AddressInfo).port}`,
    async start() {
      server.listen(options.port, options.host);
      await once(server, 'listening');
    },
    async stop() {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
    async publish(txid, psbt) {
      shown.set(txid, psbt);
      const oldest = shown.keys().next().value;
      if (shown.size > SHOWN && oldest !== undefined) shown.delete(oldest);
    },
    async collect(txid, onTrouble, signal) {
      const answers = options.peers.map((peer) =>
        ask(peer, txid, signal).catch((error: unknown) => {
          onTrouble(peer, error);
          return undefined;
        }),
      );
      return (await Promise.all(answers)).filter((one) => one !== undefined);
    },
  };
}

/** The body as text, given up when it is longer than any PSBT of a batch. */
async function readBody(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.length;
    if (size > MAX_ANSWER) throw fail('tunnel/peer', `its answer is longer than ${MAX_ANSWER} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
