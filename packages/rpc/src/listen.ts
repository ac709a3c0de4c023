import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { fail } from './errors.ts';

/** Where a server listens. */
export interface ListenOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** Takes a free port when another program has this one. */
  orFree?: true;
}

/** Opens the port of a server; @throws `rpc/listen` */
export async function listen(app: FastifyInstance, what: string, { host, port, orFree }: ListenOptions): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const isTaken = (cause as { code?: string }).code === 'EADDRINUSE';
    if (isTaken && orFree === true) return listen(app, what, { host, port: 0 });
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw fail('rpc/listen', `${what} cannot listen on ${host}:${port}: ${reason}`, { cause });
  }
}

/** `http://host:port` of a server; @throws `rpc/listen` unless it listens. */
export function urlOf(app: FastifyInstance | undefined, what: string): string {
  const address = app?.server.address() as AddressInfo | string | null | undefined;
  if (typeof address !== 'object' || address === null) throw fail('rpc/listen', `${what} does not listen`);
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}
