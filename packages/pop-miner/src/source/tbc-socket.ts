import { isHemidError } from '@hemid/protocol';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { fail } from '../errors.ts';

/** A TBC node's websocket (protocol section 12). */
export interface TbcSocket {
  /**
   * Sends the command `tbcapi-<name>-request` and reads the payload of its response. Connects when there is no
   * connection.
   *
   * @throws `pop-miner/bitcoin-unreachable`, and `pop-miner/bitcoin-answer` with the node's words in `details.words`
   * when it refuses (both `retry`).
   */
  call<T>(name: string, request: { payload: object; schema: z.ZodType<T> }, signal?: AbortSignal): Promise<T>;
  close(): void;
}

interface Connection {
  socket: WebSocket;
  /** Who waits for the response with this id. */
  waiting: Map<string, { resolve: (payload: unknown) => void; reject: (error: unknown) => void }>;
}

const frame = z.object({ header: z.object({ command: z.string(), id: z.string().optional() }), payload: z.unknown() });
const refusal = z.object({ error: z.object({ message: z.string() }) });

/** As much as the public network's clients take. */
const MAX_FRAME = 16 * 1024 * 1024;
const PING = 'tbcapi-ping-request';

/** Creates a client that is not connected yet. `timeoutMs`: how long a connection or an answer may take. @throws `pop-miner/bitcoin-unfit` */
export function createTbcSocket(url: string, { timeoutMs }: { timeoutMs: number }): TbcSocket {
  if (!URL.canParse(url) || !/^wss?:$/.test(new URL(url).protocol)) {
    throw fail('pop-miner/bitcoin-unfit', 'the URL of the TBC node cannot be read: it looks like ws://127.0.0.1:8082/v1/ws');
  }
  const shown = Object.assign(new URL(url), { username: '', password: '' }).href;
  let opening: Promise<Connection> | undefined;
  let calls = 0;

  const lost = (reason: string, cause?: unknown) =>
    fail('pop-miner/bitcoin-unreachable', `the TBC node at ${shown} cannot be reached: ${reason}`, { cause });

  function open(): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url, { handshakeTimeout: timeoutMs, maxPayload: MAX_FRAME });
      const connection: Connection = { socket, waiting: new Map() };
      let reason = 'it closed the connection';
      const patience = AbortSignal.timeout(timeoutMs);
      const giveUp = (): void => {
        reason = `it sent no ping within ${timeoutMs} ms: is it a TBC node?`;
        socket.terminate();
      };
      patience.addEventListener('abort', giveUp);
      socket.on('error', (error) => {
        reason = error.message || (error as NodeJS.ErrnoException).code || reason;
      });
      socket.on('close', () => {
        patience.removeEventListener('abort', giveUp);
        opening = undefined;
        const error = lost(reason);
        reject(error);
        for (const { reject: fails } of connection.waiting.values()) fails(error);
      });
      socket.on('message', (data) => {
        const read = readFrame(String(data));
        if (read === undefined) return;
        const { command, id } = read.header;
        if (command === PING) {
          // The node speaks first, and may not listen before it was answered.
          socket.send(
            JSON.stringify({ header: { command: 'tbcapi-ping-response', ...(id === undefined ? {} : { id }) }, payload: pongOf(read.payload) }),
          );
          patience.removeEventListener('abort', giveUp);
          resolve(connection);
        } else if (id !== undefined) {
          connection.waiting.get(id)?.resolve(read.payload);
        }
      });
    });
  }

  async function exchange(name: string, payload: object, signal?: AbortSignal): Promise<unknown> {
    opening ??= open();
    const { socket, waiting } = await opening;
    calls += 1;
    const id = String(calls);
    const timeout = AbortSignal.timeout(timeoutMs);
    const end = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
    try {
      return await new Promise((resolve, reject) => {
        // Before it is sent: the answer may be here before `send` returns.
        waiting.set(id, { resolve, reject });
        end.addEventListener('abort', () => reject(lost(timeout.aborted ? `no answer to ${name} within ${timeoutMs} ms` : 'the call was given up')));
        socket.send(JSON.stringify({ header: { command: `tbcapi-${name}-request`, id }, payload }));
      });
    } finally {
      waiting.delete(id);
    }
  }

  return {
    async call(name, { payload, schema }, signal) {
      const answer = await exchange(name, payload, signal);
      const refused = refusal.safeParse(answer);
      if (refused.success) {
        const words = refused.data.error.message;
        throw fail('pop-miner/bitcoin-answer', `the TBC node at ${shown} refused ${name}: ${words}`, { details: { words } });
      }
      const read = schema.safeParse(answer);
      if (read.success) return read.data;
      const reason = z.prettifyError(read.error).replace(/\s+/g, ' ');
      throw fail('pop-miner/bitcoin-answer', `the answer of the TBC node at ${shown} to ${name} cannot be read: ${reason}`);
    },
    close() {
      void opening?.then(({ socket }) => socket.terminate()).catch(() => undefined);
    },
  };
}

/** What a TBC node said when it refused; `undefined` for every other error. */
export function wordsOf(error: unknown): string | undefined {
  return isHemidError(error, 'pop-miner/bitcoin-answer') ? (error.details['words'] as string | undefined) : undefined;
}

function readFrame(text: string): z.output<typeof frame> | undefined {
  try {
    return frame.parse(JSON.parse(text));
  } catch {
    // Not of this protocol: who waits for an answer will miss it.
    return undefined;
  }
}

function pongOf(ping: unknown): object {
  const { timestamp } = (ping ?? {}) as { timestamp?: number };
  return { origintimestamp: timestamp ?? 0, timestamp: timestamp ?? 0 };
}
