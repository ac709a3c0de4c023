import { promisify } from 'node:util';
import type { InputType } from 'node:zlib';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { FastifyInstance } from 'fastify';

/** Shorter answers fit into one packet as they are, bytes. */
const LEAST_BYTES = 1024;
/** Beyond this, time is worth more than the last tenth of the size. */
const BROTLI_QUALITY = 4;
const GZIP_LEVEL = 5;

const brotliAsync = promisify(brotliCompress);
const gzipAsync = promisify(gzip);

/** The encodings that are offered, best first; zlib runs them off the main thread. */
const ENCODINGS: Record<string, (text: InputType) => Promise<Buffer>> = {
  br: (text) => brotliAsync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }),
  gzip: (text) => gzipAsync(text, { level: GZIP_LEVEL }),
};

/** The best encoding that an Accept-Encoding header allows (RFC 9110, 12.5.3); `undefined`: none of ours. */
export function chooseEncoding(header: string): string | undefined {
  const weights = new Map<string, number>();
  for (const part of header.toLowerCase().split(',')) {
    const [name = '', ...settings] = part.split(';').map((one) => one.trim());
    const weight = settings.find((one) => one.startsWith('q='));
    weights.set(name, weight === undefined ? 1 : Number(weight.slice(2)) || 0);
  }
  const weightOf = (name: string): number => weights.get(name) ?? weights.get('*') ?? 0;
  const [best] = Object.keys(ENCODINGS).sort((a, b) => weightOf(b) - weightOf(a));
  return best !== undefined && weightOf(best) > 0 ? best : undefined;
}

/** Compresses answers of more than a kilobyte for clients that accept it. */
export function addCompression(app: FastifyInstance): void {
  app.addHook('onSend', async (request, reply, payload) => {
    if (!(typeof payload === 'string' || payload instanceof Uint8Array) || payload.length < LEAST_BYTES) return payload;
    reply.header('vary', [reply.getHeader('vary'), 'accept-encoding'].filter(Boolean).join(', '));
    const encoding = chooseEncoding(String(request.headers['accept-encoding'] ?? ''));
    const encode = encoding === undefined ? undefined : ENCODINGS[encoding];
    if (encoding === undefined || encode === undefined) return payload;
    reply.header('content-encoding', encoding).removeHeader('content-length');
    return encode(payload);
  });
}
