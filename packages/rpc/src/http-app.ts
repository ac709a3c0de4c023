import { createServer } from 'node:http';
import Fastify, { type FastifyInstance } from 'fastify';
import { answerCall, type CallServing } from './http-call.ts';

/** Milliseconds for which a connection stays open between two requests: longer than proxies keep theirs. */
const KEEP_ALIVE_MS = 72_000;

/** Whether a request is a call: `POST /`, whatever stands behind the question mark. */
const isCall = (method: string | undefined, url = ''): boolean => method === 'POST' && (url === '/' || url.startsWith('/?'));

/**
 * A server of JSON-RPC by `POST /`. Calls go past Fastify, which takes a third of what HTTP costs and has nothing to do for
 * them. It has the other routes: `addDoor` lets requests in there.
 */
export function createHttpApp(serving: CallServing): FastifyInstance {
  return Fastify({
    logger: false,
    forceCloseConnections: true,
    serverFactory: (others) =>
      createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
        if (isCall(request.method, request.url)) answerCall(request, response, serving);
        else others(request, response);
      }),
  });
}
