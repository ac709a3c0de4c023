import { createHash, timingSafeEqual } from 'node:crypto';
import type { Secret, Service } from '@hemid/runtime';
import type { FastifyInstance } from 'fastify';
import type { Admin } from './admin-port.ts';
import { createRpcContext, type RpcDeps } from './context.ts';
import { addDoor, type Door } from './door.ts';
import { fail } from './errors.ts';
import { createHttpApp } from './http-app.ts';
import type { RpcLimits } from './limits.ts';
import { type ListenOptions, listen, urlOf } from './listen.ts';

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
const NO_TOKEN = fail('rpc/invalid-request', 'the admin port wants the token of --admin-token-file as Authorization: Bearer …');
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Creates the server of the admin port: every method of the ordinary one and the `admin_` ones, by HTTP, with a token. */
export function createAdminServer(deps: RpcDeps & { admin: Admin }, options: AdminServerOptions): AdminServer {
  const context = createRpcContext(deps, options.limits);
  const wanted = digest(`Bearer ${options.token.reveal()}`);
  let app: FastifyInstance | undefined;
  const url = (): string => urlOf(app, 'the admin server');

  const door: Door = {
    // Of both the hash is compared: equally long, and in constant time.
    refusal: ({ authorization }) => (timingSafeEqual(digest(authorization ?? ''), wanted) ? undefined : { status: UNAUTHORIZED, error: NO_TOKEN }),
    answerHeaders: () => [],
  };

  return {
    name: 'admin',
    url,
    async start() {
      const { bodyBytes } = options.limits;
      app = createHttpApp({ ...door, bodyBytes, contextOf: (_, response) => ({ ...context, isOver: () => response.destroyed }) });
      addDoor(app, door);
      await listen(app, 'the admin server', options);
      deps.log.info({ url: url() }, 'admin port listening');
    },
    async stop() {
      await app?.close();
      context.close();
    },
  };
}
