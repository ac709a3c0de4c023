import { type Connection, type Socket, serveSocket } from './connection.ts';
import type { RpcContext } from './context.ts';
import { answer } from './json-rpc.ts';
import { createSessionGroup } from './session.ts';
import { toOneString } from './wire-text.ts';

/** Messages at work at once; further ones wait in the socket. */
const MAX_AT_WORK = 64;

/** Serves JSON-RPC and subscriptions on a websocket; `onClose` is called once. */
export function serveRpc(socket: Socket, context: RpcContext, onClose: () => void): Connection {
  const sessions = createSessionGroup(context.random, (text) => connection.send(text));
  const connection: Connection = serveSocket(
    socket,
    { log: context.log, maxAtWork: MAX_AT_WORK, bufferBytes: context.limits.socketBufferBytes },
    {
      async receive(text) {
        const turn = sessions.begin();
        const reply = await answer(text, { ...context, session: turn, isOver: () => !connection.isOpen() });
        if (reply !== undefined) connection.send(toOneString(reply));
        turn.end();
        if (!connection.isOpen()) sessions.closeAll();
      },
      onClose() {
        sessions.closeAll();
        onClose();
      },
    },
  );
  return connection;
}
