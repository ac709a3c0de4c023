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

/** Refuses requests by host and origin, and tells browsers who may ask (CORS). */
export function addGate(app: FastifyInstance, limits: RpcLimits): void {
  app.addHook('onRequest', async (request, reply) => {
    const why = objection(request, limits);
    if (why !== undefined) {
      return reply.code(FORBIDDEN).send({ jsonrpc: '2.0', id: null, error: toRpcError(fail('rpc/invalid-request', why)) });
    }
    const { origin } = request.headers;
    reply.headers({
      'access-control-allow-origin': isOpen(limits.origins) ? '*' : (origin ?? 'null'),
      ...(isOpen(limits.origins) ? {} : { vary: 'origin' }),
      'access-control-allow-methods': 'POST, GET, OPTIONS',
      'access-control-allow-headers': '*',
      'access-control-max-age': '86400',
    });
    return undefined;
  });
}
