import { Agent, type IncomingMessage, request } from 'node:http';
import { request as requestTls, Agent as TlsAgent } from 'node:https';
import { text } from 'node:stream/consumers';

export interface HttpPost {
  url: string;
  headers: Record<string, string>;
  body: string;
  signal: AbortSignal;
}

export interface HttpAnswer {
  status: number;
  text: string;
}

const agents = { http: new Agent({ keepAlive: true }), https: new TlsAgent({ keepAlive: true }) };

/**
 * Posts and reads the answer, however long that takes: `fetch` gives up when an answer does not begin within five
 * minutes, and bitcoind works on some calls for hours.
 */
export async function httpPost({ url, headers, body, signal }: HttpPost): Promise<HttpAnswer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const isTls = url.startsWith('https:');
    const options = { method: 'POST', headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) }, signal };
    const call = isTls ? requestTls(url, { ...options, agent: agents.https }, resolve) : request(url, { ...options, agent: agents.http }, resolve);
    call.once('error', reject).end(body);
  });
  return { status: response.statusCode ?? 0, text: await text(response) };
}
