import type { IncomingMessage, ServerResponse } from 'node:http';
import { chooseEncoding, compress, LEAST_BYTES } from './compression.ts';
import type { RpcContext } from './context.ts';
import type { Door, Refusal } from './door.ts';
import { fail } from './errors.ts';
import { answer, refuse } from './json-rpc.ts';
import { sendTogether } from './outgoing.ts';
import { sizeOfText, type WireText } from './wire-text.ts';

/** Who is let in, and what their calls work with. */
export interface CallServing extends Door {
  /** Longest body, bytes. */
  bodyBytes: number;
  contextOf(request: IncomingMessage, response: ServerResponse): RpcContext;
}

const [OK, NO_CONTENT, TOO_LARGE, FAULT] = [200, 204, 413, 500];
const CONTENT_TYPE = ['content-type', 'application/json; charset=utf-8'];

/** Sends a text; `headers` are names and values in turn, which Node writes fastest. */
function write(response: ServerResponse, text: WireText, { status, headers }: { status: number; headers: readonly string[] }): void {
  const length = typeof text === 'string' ? Buffer.byteLength(text) : sizeOfText(text);
  response.writeHead(status, [...CONTENT_TYPE, 'content-length', String(length), ...headers]);
  if (typeof text === 'string') {
    // ASCII goes out faster as such.
    response.end(text, length === text.length ? 'latin1' : 'utf8');
    return;
  }
  for (const piece of text) response.write(piece);
  response.end();
}

/** An answer and what goes out with it. */
interface Answer {
  /** `undefined`: there is nothing to say. */
  text: WireText | undefined;
  headers: readonly string[];
}

/** Sends an answer, compressed if the client accepts it and it is worth it. */
async function send(request: IncomingMessage, response: ServerResponse, { text, headers }: Answer): Promise<void> {
  if (text === undefined) return sendTogether(() => void response.writeHead(NO_CONTENT, [...headers]).end());
  const isLong = sizeOfText(text) >= LEAST_BYTES;
  const encoding = isLong ? chooseEncoding(request.headers['accept-encoding']) : undefined;
  const varied = isLong ? [...headers, 'vary', 'accept-encoding'] : headers;
  if (encoding === undefined) return sendTogether(() => write(response, text, { status: OK, headers: varied }));
  const compressed = [await compress(text, encoding)];
  return sendTogether(() => write(response, compressed, { status: OK, headers: [...varied, 'content-encoding', encoding] }));
}

/** Gives `done` the body once it is there: `undefined`, and nothing more is read, when it is longer than `most` bytes. */
function readBody(request: IncomingMessage, most: number, done: (body: string | undefined) => void): void {
  if (Number(request.headers['content-length'] ?? 0) > most) {
    done(undefined);
    return;
  }
  const parts: Buffer[] = [];
  let length = 0;
  request.on('data', (part: Buffer) => {
    parts.push(part);
    length += part.length;
    if (length <= most) return;
    request.removeAllListeners('data').removeAllListeners('end').pause();
    done(undefined);
  });
  request.on('end', () => done(parts.length === 1 ? (parts[0] as Buffer).toString() : Buffer.concat(parts).toString()));
}

/** Answers the JSON-RPC in the body of a request. */
export function answerCall(request: IncomingMessage, response: ServerResponse, serving: CallServing): void {
  const headers = serving.answerHeaders(request.headers);
  function turnAway({ status, error }: Refusal): void {
    // What is left of the body is not waited for.
    write(response, refuse(error, null), { status, headers: [...headers, 'connection', 'close'] });
  }
  async function answerBody(body: string): Promise<void> {
    const context = serving.contextOf(request, response);
    try {
      await send(request, response, { text: await answer(body, context), headers });
    } catch (error) {
      context.log.error({ err: error }, 'rpc request failed');
      if (!response.headersSent) turnAway({ status: FAULT, error });
    }
  }

  const refusal = serving.refusal(request.headers);
  if (refusal !== undefined) {
    turnAway(refusal);
    return;
  }
  const { bodyBytes } = serving;
  readBody(request, bodyBytes, (body) => {
    if (body !== undefined) void answerBody(body);
    else turnAway({ status: TOO_LARGE, error: fail('rpc/invalid-request', `request too large: at most ${bodyBytes} bytes`) });
  });
}
