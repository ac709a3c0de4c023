import websocket from '@fastify/websocket';
import { type Clock, every, type Loop } from '@hemid/runtime';
import type { FastifyInstance } from 'fastify';
import type { Connection, Socket } from './connection.ts';

/** The websockets of a server. */
export interface Websockets {
  /** How many are open. */
  count(): number;
  /** Lets the server take websockets with messages of at most so many bytes; before its routes. */
  register(app: FastifyInstance, maxBytes: number): Promise<void>;
  /** Keeps a connection that `serve` makes of a socket until it is closed. */
  add(socket: unknown, serve: (socket: Socket, onClose: () => void) => Connection): void;
  /** Pings all of them from now on. */
  start(): void;
  /** Cuts all of them off. */
  stop(): Promise<void>;
}

const HEARTBEAT_MS = 30_000;

/** Cuts all websockets off; the default would wait for clients to say goodbye. */
function cutOff(this: FastifyInstance, done: () => void): void {
  for (const client of this.websocketServer.clients) client.terminate();
  this.websocketServer.close();
  done();
}

/** Creates the {@link Websockets} of a server. */
export function createWebsockets(clock: Clock): Websockets {
  const connections = new Set<Connection>();
  const heartbeat = new AbortController();
  let loop: Loop | undefined;

  return {
    count: () => connections.size,
    async register(app, maxBytes) {
      await app.register(websocket, { options: { maxPayload: maxBytes }, preClose: cutOff });
    },
    add(socket, serve) {
      const connection = serve(socket as Socket, () => connections.delete(connection));
      connections.add(connection);
    },
    start() {
      const pingAll = (): void => {
        for (const connection of connections) connection.checkAlive();
      };
      loop = every(clock, HEARTBEAT_MS, pingAll, heartbeat.signal);
    },
    async stop() {
      heartbeat.abort();
      for (const connection of connections) connection.terminate();
      await loop?.done;
    },
  };
}
