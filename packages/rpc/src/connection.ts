import type { Logger } from '@hemid/runtime';

/** What a websocket must be able to do. */
export interface Socket {
  /** Bytes that were sent and have not left this process. */
  readonly bufferedAmount: number;
  send(text: string): void;
  pause(): void;
  resume(): void;
  ping(): void;
  terminate(): void;
  on(event: 'message', listener: (data: unknown) => void): unknown;
  on(event: 'pong' | 'close', listener: () => void): unknown;
}

/** What is done with a websocket's messages. */
export interface ConnectionHandlers {
  /** Never rejects. */
  receive(text: string, connection: Connection): Promise<void>;
  /** Called once. */
  onClose(): void;
}

/** A served websocket. */
export interface Connection {
  /** Sends unless it is closed; cuts off a client that lets too much pile up. */
  send(text: string): void;
  isOpen(): boolean;
  /** Pings the client; cuts it off when the last ping was never answered. */
  checkAlive(): void;
  terminate(): void;
}

export interface ConnectionDeps {
  log: Logger;
  /** Messages at work at once; further ones wait in the socket. */
  maxAtWork: number;
  /** A client that lets more bytes than this pile up is cut off. */
  bufferBytes: number;
}

/** Serves a websocket. */
export function serveSocket(socket: Socket, deps: ConnectionDeps, handlers: ConnectionHandlers): Connection {
  const { log, maxAtWork, bufferBytes } = deps;
  let atWork = 0;
  let isOpen = true;
  let isAlive = true;

  function close(): void {
    if (!isOpen) return;
    isOpen = false;
    handlers.onClose();
  }

  async function receive(text: string): Promise<void> {
    atWork += 1;
    if (atWork === maxAtWork) socket.pause();
    await handlers.receive(text, connection);
    if (atWork === maxAtWork) socket.resume();
    atWork -= 1;
  }

  const connection: Connection = {
    isOpen: () => isOpen,
    send(text) {
      if (!isOpen) return;
      socket.send(text);
      if (socket.bufferedAmount <= bufferBytes) return;
      log.info({ buffered: socket.bufferedAmount }, 'slow rpc client cut off');
      connection.terminate();
    },
    checkAlive() {
      if (isAlive) socket.ping();
      else socket.terminate();
      isAlive = false;
    },
    terminate() {
      close();
      socket.terminate();
    },
  };

  socket.on('message', (data) => void receive(String(data)));
  socket.on('pong', () => {
    isAlive = true;
  });
  socket.on('close', close);
  return connection;
}
