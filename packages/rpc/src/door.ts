import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { toRpcError } from './rpc-error.ts';

/** Why a request is not let in: the status of HTTP that it is answered with, and what JSON-RPC says. */
export interface Refusal {
  status: number;
  error: unknown;
}

/** Decides by their headers which requests a server takes. */
export interface Door {
  /** `undefined` for a request that may come in. */
  refusal(headers: IncomingHttpHeaders): Refusal | undefined;
  /** Headers that go out with every answer, names and values in turn. */
  answerHeaders(headers: IncomingHttpHeaders): readonly string[];
}

/** Has Fastify let in only those that a door does; behind the plugins, so that what they begin is ended for the others. */
export function addDoor(app: FastifyInstance, door: Door): void {
  app.addHook('onRequest', async ({ headers }, reply) => {
    const refusal = door.refusal(headers);
    if (refusal !== undefined) return reply.code(refusal.status).send({ jsonrpc: '2.0', id: null, error: toRpcError(refusal.error) });
    const pairs = door.answerHeaders(headers);
    for (let i = 0; i < pairs.length; i += 2) reply.header(pairs[i] as string, pairs[i + 1]);
    return undefined;
  });
}
