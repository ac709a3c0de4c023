import { isHemidError } from '@hemid/protocol';
import type { Logger } from '@hemid/runtime';
import fastify from 'fastify';
import type { BitcoinRpc } from '../rpc/bitcoin-rpc.ts';

/** A running HTTP server. */
export interface RegtestServer {
  /** e.g. `http://127.0.0.1:18443`. */
  url: string;
  /** Answers what it has begun, then stops. */
  close(): Promise<void>;
}

interface Call {
  jsonrpc?: unknown;
  id?: unknown;
  method?: unknown;
  params?: unknown;
}

interface Answer {
  status: number;
  body: unknown;
}

const TOP_LEVEL_ERROR = { code: -32700, message: 'Top-level object parse error' };
const PARSE_ERROR = { code: -32700, message: 'Parse error' };
const MAX_BODY_BYTES = 33_554_432;

/** Serves a {@link BitcoinRpc} with Bitcoin Core's JSON-RPC 1.0 and 2.0 and its HTTP status codes; no credentials are asked for. */
export async function serveRegtest(rpc: BitcoinRpc, { host, port, log }: { host: string; port: number; log: Logger }): Promise<RegtestServer> {
  const server = fastify({ bodyLimit: MAX_BODY_BYTES, forceCloseConnections: 'idle' });
  // Core reads the body as JSON whatever its type says.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'string' }, (_, body, done) => done(null, body));
  server.post('/', async (request, reply) => {
    const { status, body } = await answer(rpc, String(request.body ?? ''), log);
    return reply
      .code(status)
      .type('application/json')
      .send(body === undefined ? '' : `${JSON.stringify(body)}\n`);
  });
  server.setNotFoundHandler((request, reply) =>
    request.method === 'POST' ? reply.code(404).send() : reply.code(405).type('text/plain').send('JSONRPC server handles only POST requests'),
  );
  await server.listen({ host, port });
  const address = server.server.address();
  const actual = typeof address === 'object' && address !== null ? address.port : port;
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${actual}`, close: () => server.close() };
}

async function answer(rpc: BitcoinRpc, text: string, log: Logger): Promise<Answer> {
  let call: unknown;
  try {
    call = JSON.parse(text);
  } catch {
    return { status: 500, body: { result: null, error: PARSE_ERROR, id: null } };
  }
  if (typeof call !== 'object' || call === null) return { status: 500, body: { result: null, error: TOP_LEVEL_ERROR, id: null } };
  if (!Array.isArray(call)) return answerOne(rpc, call as Call, log);
  const answers: unknown[] = [];
  for (const one of call) {
    const { body } = await answerOne(rpc, one as Call, log);
    if (body !== undefined) answers.push(body);
  }
  return { status: 200, body: answers };
}

async function answerOne(rpc: BitcoinRpc, call: Call, log: Logger): Promise<Answer> {
  const id = call?.id ?? null;
  const isSecond = call?.jsonrpc === '2.0';
  const wrap = (outcome: { result: unknown } | { error: unknown }): unknown => {
    if (isSecond) return { jsonrpc: '2.0', ...outcome, id };
    return 'error' in outcome ? { result: null, error: outcome.error, id } : { result: outcome.result, error: null, id };
  };
  const malformed = findFault(call);
  if (malformed !== undefined) return { status: 400, body: wrap({ error: { code: -32600, message: malformed } }) };
  try {
    const result = await rpc(String(call.method), (call.params ?? []) as unknown[]);
    // A notification (JSON-RPC 2.0) is carried out and not answered.
    if (isSecond && call.id === undefined) return { status: 204, body: undefined };
    return { status: 200, body: wrap({ result: result ?? null }) };
  } catch (error) {
    return failure(error, { isSecond, wrap, log });
  }
}

function findFault(call: Call): string | undefined {
  if (call?.method === undefined || call.method === null) return 'Missing method';
  if (typeof call.method !== 'string') return 'Method must be a string';
  return typeof (call.params ?? []) === 'object' ? undefined : 'Params must be an array or object';
}

function failure(
  error: unknown,
  { isSecond, wrap, log }: { isSecond: boolean; wrap: (outcome: { error: unknown }) => unknown; log: Logger },
): Answer {
  // As it stops: like a bitcoind that cannot take the call now, which clients try again.
  if (isHemidError(error) && error.severity === 'retry') return { status: 503, body: error.message };
  if (!isHemidError(error)) log.error({ err: error }, 'call of the embedded bitcoin failed');
  const details = isHemidError(error) ? error.details : {};
  const code = typeof details['rpcCode'] === 'number' ? details['rpcCode'] : -32603;
  const message = typeof details['rpcMessage'] === 'string' ? details['rpcMessage'] : String(error);
  const status = isSecond ? 200 : code === -32601 ? 404 : code === -32600 ? 400 : 500;
  return { status, body: wrap({ error: { code, message } }) };
}
