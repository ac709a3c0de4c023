import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { WireText } from './wire-text.ts';

/** Shorter answers fit into one packet as they are, bytes. */
export const LEAST_BYTES = 1024;
/** Beyond this, time is worth more than the last tenth of the size. */
const BROTLI_QUALITY = 4;
const GZIP_LEVEL = 5;

const brotliAsync = promisify(brotliCompress);
const gzipAsync = promisify(gzip);

/** The encodings that are offered, best first; zlib runs them off the main thread. */
const ENCODINGS = {
  br: (text: string | Buffer): Promise<Buffer> => brotliAsync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } }),
  gzip: (text: string | Buffer): Promise<Buffer> => gzipAsync(text, { level: GZIP_LEVEL }),
};
type Encoding = keyof typeof ENCODINGS;

/** The best encoding that an Accept-Encoding header allows (RFC 9110, 12.5.3); `undefined`: none of ours. */
export function chooseEncoding(header: string | undefined): Encoding | undefined {
  if (header === undefined) return undefined;
  const weights = new Map<string, number>();
  for (const part of header.toLowerCase().split(',')) {
    const [name = '', ...settings] = part.split(';').map((one) => one.trim());
    const weight = settings.find((one) => one.startsWith('q='));
    weights.set(name, weight === undefined ? 1 : Number(weight.slice(2)) || 0);
  }
  const weightOf = (name: string): number => weights.get(name) ?? weights.get('*') ?? 0;
  const [best] = (Object.keys(ENCODINGS) as Encoding[]).sort((a, b) => weightOf(b) - weightOf(a));
  return best !== undefined && weightOf(best) > 0 ? best : undefined;
}

/** The bytes of a text in an encoding. */
export const compress = (text: WireText, encoding: Encoding): Promise<Buffer> =>
  ENCODINGS[encoding](typeof text === 'string' ? text : Buffer.concat(text));
