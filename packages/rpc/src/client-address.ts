import type { IncomingMessage } from 'node:http';
import type { RpcLimits } from './limits.ts';

/**
 * The address of a client; behind a proxy of one's own what that wrote last into X-Forwarded-For: what stands before it
 * may be the client's invention.
 */
export function addressOf({ headers, socket }: IncomingMessage, { trustsProxy }: Pick<RpcLimits, 'trustsProxy'>): string {
  const forwarded = trustsProxy ? headers['x-forwarded-for'] : undefined;
  const [last] = typeof forwarded === 'string' ? forwarded.split(',').slice(-1) : [];
  return last?.trim() || (socket.remoteAddress ?? '');
}
