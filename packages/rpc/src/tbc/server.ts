import type { Service } from '@hemid/runtime';
import Fastify, { type FastifyInstance } from 'fastify';
import { type Connection, type Socket, serveSocket } from '../connection.ts';
import { type ListenOptions, listen, urlOf } from '../listen.ts';
import { createWebsockets, type Websockets } from '../websockets.ts';
import type { TbcDeps } from './command.ts';
import { answerFrame, toFrame } from './frame.ts';

/** The websocket that the public PoP miner and finality daemon take their Bitcoin from (protocol section 12). */
export interface TbcServer extends Service {
  /** `ws://host:port/v1/ws`; @throws `rpc/listen` before it is started. */
  url(): string;
}

const PATH = '/v1/ws';
/** Bytes of a frame. */
const MAX_FRAME = 512 * 1024;
/** A client that lets more than this pile up is cut off, bytes. */
const MAX_BUFFERED = 16_000_000;
/** Frames of a connection at work at once; the public programs have up to ten. */
const MAX_AT_WORK = 16;

function serveTbc(socket: Socket, deps: TbcDeps, onClose: () => void): Connection {
  async function receive(text: string, connection: Connection): Promise<void> {
    const reply = await answerFrame(text, deps);
    if (reply !== undefined) connection.send(reply);
  }
  const connection = serveSocket(socket, { log: deps.log, maxAtWork: MAX_AT_WORK, bufferBytes: MAX_BUFFERED }, { receive, onClose });
  // Clients wait for this before they send anything.
  connection.send(toFrame('tbcapi-ping-request', '0', { timestamp: Math.floor(deps.clock.now() / 1000) }));
  return connection;
}

async function createApp(deps: TbcDeps, sockets: Websockets): Promise<FastifyInstance> {
  const app = Fastify({ logger: false, forceCloseConnections: true });
  await sockets.register(app, MAX_FRAME);
  app.route({
    method: 'GET',
    url: PATH,
    handler: async () => 'TBC: open a websocket',
    wsHandler: (socket) => sockets.add(socket, (opened, onClose) => serveTbc(opened, deps, onClose)),
  });
  return app;
}

/** Creates the TBC endpoint of a node. */
export function createTbcServer(deps: TbcDeps, options: ListenOptions): TbcServer {
  const sockets = createWebsockets(deps.clock);
  let app: FastifyInstance | undefined;
  const url = (): string => `${urlOf(app, 'the tbc server').replace('http', 'ws')}${PATH}`;

  return {
    name: 'tbc',
    url,
    async start() {
      app = await createApp(deps, sockets);
      await listen(app, 'the tbc server', options);
      sockets.start();
      deps.log.info({ url: url() }, 'tbc listening');
    },
    async stop() {
      await sockets.stop();
      await app?.close();
    },
  };
}
