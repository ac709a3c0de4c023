/** Where the HTTP endpoints listen. */
export interface HttpAddress {
  host: string;
  /** 0 takes a free one. */
  port: number;
}

/** An address from `host:port`, `[IPv6]:port`, or `:port` for every interface; `undefined` when it is none. */
export function readHttpAddress(text: string): HttpAddress | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:/\s[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) return undefined;
  return { host: match[1] ?? (match[2] || '0.0.0.0'), port };
}

/** The URL at which an address is asked from the same machine. */
export function toUrl({ host, port }: HttpAddress): string {
  const near = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${near.includes(':') ? `[${near}]` : near}:${port}`;
}
