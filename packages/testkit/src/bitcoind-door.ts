import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Bitcoind } from './bitcoind.ts';

/** A door to a Bitcoin node, through which some answers come changed. */
export interface BitcoindDoor {
  /** For RPC, with credentials. */
  url: string;
  close(): void;
}

/** What becomes of the results of some methods on their way; all others come as they are. */
export type ChangedResults = Record<string, (result: unknown) => unknown>;

/** Opens a door to the RPC of a Bitcoin node, wallets included; while the node is away it does not answer. */
export async function openBitcoindDoor(bitcoind: Bitcoind, changes: ChangedResults): Promise<BitcoindDoor> {
  const { user, password } = bitcoind;
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const headers = { 'content-type': 'application/json' };

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const answer = await fetch(`${bitcoind.url}${request.url}`, { method: 'POST', headers: { ...headers, authorization }, body });
    const change = changes[(JSON.parse(body) as { method?: string }).method ?? ''];
    response.writeHead(answer.status, headers);
    if (change === undefined) response.end(await answer.text());
    else {
      const { result, ...rest } = (await answer.json()) as { result: unknown };
      response.end(JSON.stringify({ ...rest, result: change(result) }));
    }
  }

  const server = createServer((request, response) => void pass(request, response).catch(() => response.destroy()));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://${user}:${password}@127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
