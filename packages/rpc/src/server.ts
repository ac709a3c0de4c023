import type { AddressInfo } from 'node:net';
import websocket from '@fastify/websocket';
import { every, type Loop, type Service } from '@hemid/runtime';
import Fastify, { type FastifyInstance } from 'fastify';
import { type Connection, type Socket, serveSocket } from './connection.ts';
import { createRpcContext, type RpcContext, type RpcDeps } from './context.ts';
import { fail } from './errors.ts';
import { addGate } from './gate.ts';
import { answer } from './json-rpc.ts';
import type { RpcLimits } from './limits.ts';
import { createRates } from './rate.ts';
import { toRpcError } from './rpc-error.ts';

/** Where the RPC listens. */
export interface RpcServerOptions {
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** The usual ones when left out. */
  limits?: RpcLimits;
}

/** The JSON-RPC of a node over HTTP and websocket, on one port. */
export interface RpcServer extends Service {
  /** `http://host:port`, the websocket is at the same place; @throws `rpc/listen` before it is started. */
  url(): string;
}

const HEARTBEAT_MS = 30_000;
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

/** JSON-RPC on `/`: POST, and GET that becomes a websocket. */
function addRpc(app: FastifyInstance, context: RpcContext, connections: Set<Connection>): void {
  const rates = createRates(context.clock, context.limits.rate);
  app.addContentTypeParser('*', { parseAs: 'string' }, (_, body, done) => done(null, body));
  app.post('/', async (request, reply) => {
    const client = { ...context, mayCall: () => rates.take(request.ip), isOver: () => reply.raw.destroyed };
    const text = await answer(typeof request.body === 'string' ? request.body : '', client);
    return text === undefined ? reply.code(204).send() : reply.type('application/json').send(text);
  });
  app.options('/', async (_, reply) => reply.code(204).send());
  app.route({
    method: 'GET',
    url: '/',
    handler: async () => 'JSON-RPC 2.0: send POST requests here, or open a websocket',
    wsHandler(socket, request) {
      if (connections.size >= context.limits.sockets) return socket.close(TRY_LATER, 'too many connections');
      const client = { ...context, mayCall: () => rates.take(request.ip) };
      const connection = serveSocket(socket as Socket, client, () => connections.delete(connection));
      connections.add(connection);
    },
  });
}

/** Cuts all websockets off; the default would wait for clients to say goodbye. */
function cutOff(this: FastifyInstance, done: () => void): void {
  for (const client of this.websocketServer.clients) client.terminate();
  this.websocketServer.close();
  done();
}

async function createApp(context: RpcContext, connections: Set<Connection>): Promise<FastifyInstance> {
  const { bodyBytes, trustsProxy } = context.limits;
  const app = Fastify({ logger: false, bodyLimit: bodyBytes, forceCloseConnections: true, trustProxy: trustsProxy });
  await app.register(websocket, { options: { maxPayload: bodyBytes }, preClose: cutOff });
  app.removeAllContentTypeParsers();
  addGate(app, context.limits);
  app.setErrorHandler((error: { statusCode?: number; message: string }, _, reply) => {
    const isClients = error.statusCode !== undefined && error.statusCode < 500;
    if (!isClients) context.log.error({ err: error }, 'rpc request failed');
    const shown = isClients ? fail('rpc/invalid-request', error.message) : error;
    return reply.code(error.statusCode ?? 500).send({ jsonrpc: '2.0', id: null, error: toRpcError(shown) });
  });
  addProbes(app, context);
  addRpc(app, context, connections);
  return app;
}

/** Creates the RPC server of a node. */
export function createRpcServer(deps: RpcDeps, options: RpcServerOptions): RpcServer {
  const { clock, log } = deps;
  const connections = new Set<Connection>();
  const heartbeat = new AbortController();
  const context = createRpcContext(deps, options.limits);
  let app: FastifyInstance | undefined;
  let loop: Loop | undefined;

  function pingAll(): void {
    for (const connection of connections) connection.checkAlive();
  }

  function url(): string {
    const address = app?.server.address() as AddressInfo | string | null | undefined;
    if (typeof address !== 'object' || address === null) throw fail('rpc/listen', 'the rpc server does not listen');
    return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
  }

  return {
    name: 'rpc',
    url,
    async start() {
      app = await createApp(context, connections);
      try {
        await app.listen({ host: options.host, port: options.port });
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw fail('rpc/listen', `the rpc cannot listen on ${options.host}:${options.port}: ${reason}`, { cause });
      }
      loop = every(clock, HEARTBEAT_MS, pingAll, heartbeat.signal);
      log.info({ url: url() }, 'rpc listening');
    },
    async stop() {
      heartbeat.abort();
      for (const connection of connections) connection.terminate();
      await app?.close();
      await loop?.done;
      context.close();
    },
  };
}
