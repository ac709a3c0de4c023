import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { toDisplay, toKeystoneJson } from '@hemid/protocol';
import type { KeystoneHolder } from './keystone-holder.ts';

/** A {@link KeystoneHolder} behind JSON-RPC over HTTP. */
export interface KeystoneServer {
  url: string;
  /** Credentials that calls carried, newest last. */
  logins: (string | undefined)[];
  /** While set, every call is answered with this body. */
  answer: string | undefined;
  close(): Promise<void>;
}

/** Serves the methods of an L2 node that a miner needs (protocol section 12). */
export async function serveKeystones(l2: KeystoneHolder): Promise<KeystoneServer> {
  const http = createServer((request, response) => {
    let body = '';
    request.on('data', (text) => (body += text));
    request.on('end', () => void reply(body).then((text) => response.end(text)));
    served.logins.push(request.headers.authorization);
  });

  async function reply(body: string): Promise<string> {
    const { id, method, params } = JSON.parse(body) as { id: number; method: string; params: unknown[] };
    const result = await handle(method, params);
    return served.answer ?? JSON.stringify(result === undefined ? { id, error: { code: -32601, message: 'no such method' } } : { id, result });
  }

  async function handle(method: string, params: unknown[]): Promise<unknown> {
    if (method === 'kss_getLatestKeystones') return { keystones: (await l2.latest(params[0] as number)).map(toKeystoneJson) };
    if (method !== 'eth_getBlockByHash') return undefined;
    const origin = await l2.origin(Buffer.from(String(params[0]).slice(2), 'hex')).catch(() => undefined);
    if (origin === undefined) return null;
    return { extraData: `0x${toDisplay(origin.bitcoinTip)}`, timestamp: `0x${(origin.timeMs / 1000).toString(16)}` };
  }

  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const served: KeystoneServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    logins: [],
    answer: undefined,
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      }),
  };
  return served;
}
