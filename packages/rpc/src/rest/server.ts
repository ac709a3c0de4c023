import type { ChainReader } from '@hemid/chain';
import { fromKeystoneId, toDigits } from '@hemid/protocol';
import type { Clock, Logger, Random, Service } from '@hemid/runtime';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { showKeystoneFinality } from '../keystone-finality.ts';
import { type ListenOptions, listen, urlOf } from '../listen.ts';
import type { FinalityReader } from '../ports.ts';

/** What the node gives to its REST endpoint. */
export interface RestDeps {
  chain: ChainReader;
  finality: FinalityReader;
  clock: Clock;
  random: Random;
  log: Logger;
}

/** The route of the public finality daemon: `GET /v2/keystonefinality/{abbreviated hash}` (protocol section 12). */
export interface RestServer extends Service {
  /** `http://host:port`; @throws `rpc/listen` before it is started. */
  url(): string;
}

const KEYSTONE_ID = /^[0-9a-fA-F]{64}$/;
const TRACE_BYTES = 8;

/** JSON with a line end behind it, as Go's encoder writes it. */
function send(reply: FastifyReply, code: number, body: object): FastifyReply {
  return reply
    .code(code)
    .type('application/json; charset=utf-8')
    .header('x-content-type-options', 'nosniff')
    .send(`${JSON.stringify(body)}\n`);
}

function createApp(deps: RestDeps): FastifyInstance {
  const { chain, finality, clock, random, log } = deps;

  const newTrace = (): string => toDigits(random.bytes(TRACE_BYTES));
  const refuse = (reply: FastifyReply, code: number, { error, trace = newTrace() }: { error: string; trace?: string }): FastifyReply =>
    send(reply, code, { timestamp: Math.floor(clock.now() / 1000), trace, error });

  function showFault(reply: FastifyReply, fault: unknown): FastifyReply {
    const trace = newTrace();
    log.error({ trace, err: fault }, 'rest request failed');
    return refuse(reply, 500, { error: 'internal error', trace });
  }

  const app = Fastify({
    logger: false,
    forceCloseConnections: true,
    // A path that does not decode reaches no handler.
    frameworkErrors: (error, _, reply) => refuse(reply as FastifyReply, 400, { error: error.message }),
  });
  app.setNotFoundHandler((_, reply) => refuse(reply, 404, { error: 'there is nothing here but /v2/keystonefinality/{hash}' }));
  app.setErrorHandler((error: { statusCode?: number; message: string }, _, reply) => {
    const isClients = error.statusCode !== undefined && error.statusCode < 500;
    return isClients ? refuse(reply, error.statusCode ?? 400, { error: error.message }) : showFault(reply, error);
  });
  app.get('/v2/keystonefinality/*', async (request, reply) => {
    const id = (request.params as { '*': string })['*'];
    if (!KEYSTONE_ID.test(id)) return refuse(reply, 400, { error: 'invalid keystone length' });
    const keystone = chain.keystoneBlock(fromKeystoneId(id));
    if (keystone === undefined) return refuse(reply, 404, { error: `unknown keystone: keystone not found: ${id}` });
    const { best } = await finality.of(keystone);
    return send(reply, 200, showKeystoneFinality(chain, { keystone, best }));
  });
  return app;
}

/** Creates the REST endpoint of a node. */
export function createRestServer(deps: RestDeps, options: ListenOptions): RestServer {
  let app: FastifyInstance | undefined;
  const url = (): string => urlOf(app, 'the finality server');

  return {
    name: 'rest',
    url,
    async start() {
      app = createApp(deps);
      await listen(app, 'the finality server', options);
      deps.log.info({ url: url() }, 'finality rest listening');
    },
    async stop() {
      await app?.close();
    },
  };
}
