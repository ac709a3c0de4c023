import type { RpcContext } from './context.ts';
import { answer } from './json-rpc.ts';
import { createSessionGroup } from './session.ts';

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

/** A served websocket. */
export interface Connection {
  /** Pings the client; cuts it off when the last ping was never answered. */
  checkAlive(): void;
  terminate(): void;
}

/** Messages at work at once; further ones wait in the socket. */
const MAX_AT_WORK = 64;

/** Serves JSON-RPC and subscriptions on a websocket; `onClose` is called once. */
export function serveSocket(socket: Socket, context: RpcContext, onClose: () => void): Connection {
  const sessions = createSessionGroup(context.random, send);
  let atWork = 0;
  let isOpen = true;
  let isAlive = true;

  function send(text: string): void {
    if (!isOpen) return;
    socket.send(text);
    if (socket.bufferedAmount <= context.limits.socketBufferBytes) return;
    context.log.info({ buffered: socket.bufferedAmount }, 'slow rpc client cut off');
    close();
    socket.terminate();
  }

  function close(): void {
    if (!isOpen) return;
    isOpen = false;
    sessions.closeAll();
    onClose();
  }

  async function receive(text: string): Promise<void> {
    atWork += 1;
    if (atWork === MAX_AT_WORK) socket.pause();
    const turn = sessions.begin();
    const reply = await answer(text, { ...context, session: turn, isOver: () => !isOpen });
    if (reply !== undefined) send(reply);
    turn.end();
    if (!isOpen) sessions.closeAll();
    if (atWork === MAX_AT_WORK) socket.resume();
    atWork -= 1;
  }

  socket.on('message', (data) => void receive(String(data)));
  socket.on('pong', () => {
    isAlive = true;
  });
  socket.on('close', close);

  return {
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
}
