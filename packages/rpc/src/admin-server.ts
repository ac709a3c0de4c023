import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret, Service } from '@hemid/runtime';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Admin } from './admin-port.ts';
import { createRpcContext, type RpcDeps } from './context.ts';
import { fail } from './errors.ts';
import { answerRequest } from './http-answer.ts';
import type { RpcLimits } from './limits.ts';
import { type ListenOptions, listen, urlOf } from './listen.ts';
import { toRpcError } from './rpc-error.ts';

/** Where the admin methods are served, and to whom. */
export interface AdminServerOptions extends ListenOptions {
  /** What a client shows as `Authorization: Bearer …`. */
  token: Secret<string>;
  limits: RpcLimits;
}

/** JSON-RPC for the operator of a node alone. */
export interface AdminServer extends Service {
  /** `http://host:port`; @throws `rpc/listen` before it is started. */
  url(): string;
}

const UNAUTHORIZED = 401;
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Creates the server of the admin port: every method of the ordinary one and the `admin_` ones, by HTTP, with a token. */
export function createAdminServer(deps: RpcDeps & { admin: Admin }, options: AdminServerOptions): AdminServer {
  const context = createRpcContext(deps, options.limits);
  const wanted = digest(`Bearer ${options.token.reveal()}`);
  let app: FastifyInstance | undefined;
  const url = (): string => urlOf(app, 'the admin server');

  function createApp(): FastifyInstance {
    const created = Fastify({ logger: false, bodyLimit: options.limits.bodyBytes, forceCloseConnections: true });
    created.removeAllContentTypeParsers();
    created.addContentTypeParser('*', { parseAs: 'string' }, (_, body, done) => done(null, body));
    // Of both the hash is compared: equally long, and in constant time.
    created.addHook('onRequest', async ({ headers }, reply) => {
      if (timingSafeEqual(digest(headers.authorization ?? ''), wanted)) return undefined;
      const error = toRpcError(fail('rpc/invalid-request', 'the admin port wants the token of --admin-token-file as Authorization: Bearer …'));
      return reply.code(UNAUTHORIZED).send({ jsonrpc: '2.0', id: null, error });
    });
    created.post('/', (request, reply) => answerRequest(request, reply, { ...context, isOver: () => reply.raw.destroyed }));
    return created;
  }

  return {
    name: 'admin',
    url,
    async start() {
      app = createApp();
      await listen(app, 'the admin server', options);
      deps.log.info({ url: url() }, 'admin port listening');
    },
    async stop() {
      await app?.close();
      context.close();
    },
  };
}
