import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Bitcoind } from '@hemid/testkit';

/** A door to a Bitcoin node that says what blocks cost: a node of the tests has nothing to estimate from. */
export interface FeeDesk {
  /** For RPC, with credentials. */
  url: string;
  /** Sats per vbyte that blocks want from now on; `undefined`: the node speaks for itself again. */
  setRate(rate: number | undefined): void;
  close(): void;
}

/** Opens a {@link FeeDesk}; all other calls go on to the node. */
export async function openFeeDesk(bitcoind: Bitcoind): Promise<FeeDesk> {
  const { user, password } = bitcoind;
  let wanted: number | undefined;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const { id, method } = JSON.parse(body) as { id?: unknown; method?: string };
    const headers = { 'content-type': 'application/json' };
    if (method === 'estimatesmartfee' && wanted !== undefined) {
      response.writeHead(200, headers).end(JSON.stringify({ id, error: null, result: { feerate: wanted / 1e5, blocks: 2 } }));
      return;
    }
    const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
    const passed = await fetch(`${bitcoind.url}${request.url}`, { method: 'POST', headers: { ...headers, authorization }, body });
    response.writeHead(passed.status, headers).end(await passed.text());
  }

  // While the node is away, so is its door.
  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://${user}:${password}@127.0.0.1:${(server.address() as AddressInfo).port}`,
    setRate(rate) {
      wanted = rate;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
