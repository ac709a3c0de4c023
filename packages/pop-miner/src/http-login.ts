/** A URL without its `user:password@`, and the header that says the same: fetch refuses such URLs, and errors must not print them. */
export function splitLogin(url: URL): { endpoint: string; authorization: Record<string, string> } {
  const bare = new URL(url);
  const login = [bare.username, bare.password].map(decodeURIComponent).join(':');
  bare.username = '';
  bare.password = '';
  return { endpoint: bare.href, authorization: login === ':' ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` } };
}

/** Why a fetch failed, in words; undici hides them in the cause. */
export function reasonOf(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { message?: string; code?: string } };
  return cause?.message || cause?.code || message || String(error);
}
