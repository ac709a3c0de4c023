import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger, Service } from '@hemid/runtime';
import { fail } from './errors.ts';
import { type HttpAddress, toUrl } from './http-address.ts';

/** What is answered to a GET. */
export interface HttpAnswer {
  code: number;
  type: 'application/json' | 'text/plain; version=0.0.4';
  body: string;
}

/** The answer to each path. */
export type HttpRoutes = Readonly<Record<string, () => HttpAnswer>>;

/** A JSON answer; amounts, which are bigint here, become numbers: no amount of Bitcoin is above 2^53 sats. */
export function toJsonAnswer(value: unknown, code = 200): HttpAnswer {
  const body = JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? Number(part) : part));
  return { code, type: 'application/json', body: `${body}\n` };
}

/** Serves what people and Prometheus ask the daemon for. `start` throws `popmd/listen` when the address is not to be had. */
export function createHttpServer(routes: HttpRoutes, { address, log }: { address: HttpAddress; log: Logger }): Service {
  const server: Server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    const { code, type, body } = route === undefined ? toJsonAnswer({ error: 'not found', paths: Object.keys(routes) }, 404) : route();
    if (request.method === 'GET' || request.method === 'HEAD') response.writeHead(code, { 'content-type': type }).end(body);
    else response.writeHead(405, { allow: 'GET, HEAD' }).end();
  });

  return {
    name: 'http',
    async start() {
      await new Promise<void>((resolve, reject) => {
        server.once('error', (cause) => {
          reject(fail('popmd/listen', `popmd cannot listen on ${address.host}:${address.port}: ${cause.message}`, { cause }));
        });
        server.listen(address.port, address.host, resolve);
      });
      const { address: host, port } = server.address() as AddressInfo;
      log.info({ url: toUrl({ host, port }), paths: Object.keys(routes) }, 'http listening');
    },
    async stop() {
      if (!server.listening) return;
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}
