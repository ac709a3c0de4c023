import type { FastifyInstance, FastifyRequest } from 'fastify';
import { fail } from './errors.ts';
import type { RpcLimits } from './limits.ts';
import { toRpcError } from './rpc-error.ts';

const FORBIDDEN = 403;

/** The name in a Host header, without its port. */
const nameOf = (host: string): string =>
  host
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();

const isOpen = (list: readonly string[]): boolean => list.includes('*');

/** Why a request may not come in; `undefined` when it may. */
function objection({ headers }: FastifyRequest, { hosts, origins }: RpcLimits): string | undefined {
  // A page of another name for this address would else get past the browser's rules.
  if (!isOpen(hosts) && !hosts.includes(nameOf(headers.host ?? ''))) return 'invalid host: this node is not called by that name';
  const { origin } = headers;
  return isOpen(origins) || origin === undefined || origins.includes(origin) ? undefined : 'origin not allowed';
}

/** What a browser is told before it asks. */
const PREFLIGHT = { 'access-control-allow-methods': 'POST, GET, OPTIONS', 'access-control-allow-headers': '*', 'access-control-max-age': '86400' };

/** Refuses requests by host and origin, and tells browsers who may ask (CORS). */
export function addGate(app: FastifyInstance, limits: RpcLimits): void {
  const isForAll = isOpen(limits.origins);
  // A hook that gives back a promise costs each request a turn of the microtask queue.
  app.addHook('onRequest', (request, reply, done) => {
    const why = objection(request, limits);
    if (why !== undefined) {
      reply.code(FORBIDDEN).send({ jsonrpc: '2.0', id: null, error: toRpcError(fail('rpc/invalid-request', why)) });
      return;
    }
    reply.header('access-control-allow-origin', isForAll ? '*' : (request.headers.origin ?? 'null'));
    if (!isForAll) reply.header('vary', 'origin');
    if (request.method === 'OPTIONS') reply.headers(PREFLIGHT);
    done();
  });
}
