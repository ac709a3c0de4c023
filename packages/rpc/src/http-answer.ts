import type { FastifyReply, FastifyRequest } from 'fastify';
import { chooseEncoding, compress, LEAST_BYTES } from './compression.ts';
import type { RpcContext } from './context.ts';
import { answer } from './json-rpc.ts';
import { sizeOfText, type WireText } from './wire-text.ts';

const NO_CONTENT = 204;
const TYPE = 'application/json; charset=utf-8';

/** Writes past Fastify, which has nothing left to do, and takes no pieces; `headers` are names and values in turn, which Node writes fastest. */
function write(reply: FastifyReply, text: WireText, headers: string[]): void {
  const { raw } = reply;
  const length = typeof text === 'string' ? Buffer.byteLength(text) : sizeOfText(text);
  raw.writeHead(200, ['content-type', TYPE, 'content-length', String(length), ...headers]);
  reply.hijack();
  if (typeof text === 'string') {
    raw.end(text);
    return;
  }
  for (const piece of text) raw.write(piece);
  raw.end();
}

/** Sends a text, compressed if the client accepts it and it is worth it, with what the gate has set. */
async function send(request: FastifyRequest, reply: FastifyReply, text: WireText | undefined): Promise<void> {
  if (text === undefined) {
    await reply.code(NO_CONTENT).send();
    return;
  }
  const isLong = sizeOfText(text) >= LEAST_BYTES;
  const encoding = isLong ? chooseEncoding(request.headers['accept-encoding']) : undefined;
  const headers = encoding === undefined ? [] : ['content-encoding', encoding];
  const origin = reply.getHeader('access-control-allow-origin');
  if (origin !== undefined) headers.push('access-control-allow-origin', String(origin));
  const vary = [reply.getHeader('vary'), isLong ? 'accept-encoding' : undefined].filter(Boolean);
  if (vary.length > 0) headers.push('vary', vary.join(', '));
  write(reply, encoding === undefined ? text : [await compress(text, encoding)], headers);
}

/** Answers the JSON-RPC in a request's body; Fastify would wait for a promise, so that each call would cost further turns: it gets none. */
export function answerRequest(request: FastifyRequest, reply: FastifyReply, context: RpcContext): void {
  const { body } = request;
  answer(typeof body === 'string' ? body : '', context)
    .then((text) => send(request, reply, text))
    .catch((error: unknown) => reply.send(error));
}
