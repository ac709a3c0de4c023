import type { IncomingHttpHeaders } from 'node:http';
import type { Door } from './door.ts';
import { fail } from './errors.ts';
import type { RpcLimits } from './limits.ts';

const FORBIDDEN = 403;

/** The name in a Host header, without its port. */
const nameOf = (host: string): string =>
  host
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .toLowerCase();

const isOpen = (list: readonly string[]): boolean => list.includes('*');

/** Lets requests in by host and origin, and tells browsers who may ask (CORS). */
export function createGate({ hosts, origins }: Pick<RpcLimits, 'hosts' | 'origins'>): Door {
  const [isForAllHosts, isForAll] = [isOpen(hosts), isOpen(origins)];

  function objection({ host, origin }: IncomingHttpHeaders): string | undefined {
    // A page of another name for this address would else get past the browser's rules.
    if (!isForAllHosts && !hosts.includes(nameOf(host ?? ''))) return 'invalid host: this node is not called by that name';
    return isForAll || origin === undefined || origins.includes(origin) ? undefined : 'origin not allowed';
  }

  return {
    refusal(headers) {
      const why = objection(headers);
      return why === undefined ? undefined : { status: FORBIDDEN, error: fail('rpc/invalid-request', why) };
    },
    answerHeaders: isForAll
      ? () => ['access-control-allow-origin', '*']
      : ({ origin }) => ['access-control-allow-origin', origin ?? 'null', 'vary', 'origin'],
  };
}
