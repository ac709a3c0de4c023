import type { Service } from '@hemid/runtime';
import type { FastifyInstance } from 'fastify';
import { addressOf } from './client-address.ts';
import { createRpcContext, type RpcContext, type RpcDeps } from './context.ts';
import { addDoor } from './door.ts';
import { fail } from './errors.ts';
import { createGate } from './gate.ts';
import { createHttpApp } from './http-app.ts';
import type { RpcLimits } from './limits.ts';
import { type ListenOptions, listen, urlOf } from './listen.ts';
import { createRates, type Rates } from './rate.ts';
import { serveRpc } from './rpc-connection.ts';
import { toRpcError } from './rpc-error.ts';
import { createWebsockets, type Websockets } from './websockets.ts';

/** Where the RPC listens. */
export interface RpcServerOptions extends ListenOptions {
  /** The usual ones when left out. */
  limits?: RpcLimits;
}

/** The JSON-RPC of a node over HTTP and websocket, on one port. */
export interface RpcServer extends Service {
  /** `http://host:port`, the websocket is at the same place; @throws `rpc/listen` before it is started. */
  url(): string;
}

/** The websocket's code for a server that has no room. */
const TRY_LATER = 1013;

/** GET /livez, /readyz, /metrics: for those who watch the node. */
function addProbes(app: FastifyInstance, { status, calls }: RpcContext): void {
  app.get('/livez', async () => 'ok');
  app.get('/readyz', async (_, reply) => {
    const reasons = status.reasons();
    const ready = reasons.length === 0;
    return reply.code(ready ? 200 : 503).send({ ready, reasons });
  });
  app.get('/metrics', async (_, reply) => reply.type('text/plain; version=0.0.4').send(status.metrics() + calls.render()));
}

/** What a browser is told before it asks. */
const PREFLIGHT = { 'access-control-allow-methods': 'POST, GET, OPTIONS', 'access-control-allow-headers': '*', 'access-control-max-age': '86400' };

/** What else there is on `/` than calls: GET, which becomes a websocket, and OPTIONS. */
function addRpc(app: FastifyInstance, context: RpcContext, { sockets, rates }: { sockets: Websockets; rates: Rates }): void {
  app.options('/', async (_, reply) => reply.code(204).headers(PREFLIGHT).send());
  app.route({
    method: 'GET',
    url: '/',
    handler: async () => 'JSON-RPC 2.0: send POST requests here, or open a websocket',
    wsHandler(socket, { raw }) {
      if (sockets.count() >= context.limits.sockets) return socket.close(TRY_LATER, 'too many connections');
      const client = { ...context, mayCall: () => rates.take(addressOf(raw, context.limits)) };
      sockets.add(socket, (opened, onClose) => serveRpc(opened, client, onClose));
    },
  });
}

async function createApp(context: RpcContext, sockets: Websockets): Promise<FastifyInstance> {
  const { limits, clock } = context;
  const rates = createRates(clock, limits.rate);
  const gate = createGate(limits);
  const app = createHttpApp({
    ...gate,
    bodyBytes: limits.bodyBytes,
    contextOf: (request, response) => ({ ...context, mayCall: () => rates.take(addressOf(request, limits)), isOver: () => response.destroyed }),
  });
  await sockets.register(app, limits.bodyBytes);
  addDoor(app, gate);
  app.setErrorHandler((error: { statusCode?: number; message: string }, _, reply) => {
    const isClients = error.statusCode !== undefined && error.statusCode < 500;
    if (!isClients) context.log.error({ err: error }, 'rpc request failed');
    const shown = isClients ? fail('rpc/invalid-request', error.message) : error;
    return reply.code(error.statusCode ?? 500).send({ jsonrpc: '2.0', id: null, error: toRpcError(shown) });
  });
  addProbes(app, context);
  addRpc(app, context, { sockets, rates });
  return app;
}

/** Creates the RPC server of a node. */
export function createRpcServer(deps: RpcDeps, options: RpcServerOptions): RpcServer {
  const context = createRpcContext(deps, options.limits);
  const sockets = createWebsockets(deps.clock);
  let app: FastifyInstance | undefined;
  const url = (): string => urlOf(app, 'the rpc server');

  return {
    name: 'rpc',
    url,
    async start() {
      app = await createApp(context, sockets);
      await listen(app, 'the rpc server', options);
      sockets.start();
      deps.log.info({ url: url() }, 'rpc listening');
    },
    async stop() {
      await sockets.stop();
      await app?.close();
      context.close();
    },
  };
}
