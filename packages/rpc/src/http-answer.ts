import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { chooseEncoding, compress, LEAST_BYTES } from './compression.ts';
import type { RpcContext } from './context.ts';
import { answer } from './json-rpc.ts';
import { sizeOfText, type WireText } from './wire-text.ts';

const NO_CONTENT = 204;

/** Writes past Fastify, which has nothing left to do, and takes no pieces. */
function write(reply: FastifyReply, text: WireText, added: Record<string, string>): void {
  const length = typeof text === 'string' ? Buffer.byteLength(text) : sizeOfText(text);
  const headers = {
    ...(reply.getHeaders() as OutgoingHttpHeaders),
    ...added,
    'content-type': 'application/json; charset=utf-8',
    'content-length': length,
  };
  const { raw } = reply.hijack();
  raw.writeHead(200, headers);
  if (typeof text === 'string') {
    raw.end(text);
    return;
  }
  for (const piece of text) raw.write(piece);
  raw.end();
}

/** Sends a text that is long enough to be worth it compressed, as the client accepts it. */
async function writeLong({ headers }: FastifyRequest, reply: FastifyReply, text: WireText): Promise<void> {
  const vary = [reply.getHeader('vary'), 'accept-encoding'].filter(Boolean).join(', ');
  const encoding = chooseEncoding(headers['accept-encoding']);
  if (encoding === undefined) return write(reply, text, { vary });
  write(reply, [await compress(text, encoding)], { vary, 'content-encoding': encoding });
}

async function send(request: FastifyRequest, reply: FastifyReply, text: WireText | undefined): Promise<void> {
  if (text === undefined) await reply.code(NO_CONTENT).send();
  else if (sizeOfText(text) < LEAST_BYTES) write(reply, text, {});
  else await writeLong(request, reply, text);
}

/** Answers the JSON-RPC in a request's body; Fastify would wait for a promise, so that each call would cost further turns: it gets none. */
export function answerRequest(request: FastifyRequest, reply: FastifyReply, context: RpcContext): void {
  const { body } = request;
  answer(typeof body === 'string' ? body : '', context)
    .then((text) => send(request, reply, text))
    .catch((error: unknown) => reply.send(error));
}
