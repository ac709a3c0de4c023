/** Keys that only Knots has, or that say what a node is and not what it does. */
const LEFT_OUT: Record<string, readonly string[]> = {
  getblockheader: ['header_version', 'txcount'],
  getblock: ['header_version', 'txcount'],
  getblockchaininfo: ['size_on_disk'],
  getmempoolentry: ['startingpriority', 'currentpriority', 'hash'],
  testmempoolaccept: ['usage'],
  getnetworkinfo: ['version', 'subversion', 'localservices', 'localservicesnames', 'networks'],
};

/** Words of Knots for what Core calls otherwise. */
const KNOTS_WORDS: Record<string, string> = { 'dust-nonanchor': 'dust', 'bad-witness-nonwitness-input': 'bad-witness-nonstandard' };

/** A wrong number of parameters is answered with the method's help text, which is each node's own. */
export function normaliseMessage(method: string, message: string): string {
  return new RegExp(`^${method}(\\s|$)`).test(message) ? `help of ${method}` : (KNOTS_WORDS[message] ?? message);
}

/** What must be equal between two nodes; lists without an order of their own are sorted. */
export function normalise(method: string, result: unknown): unknown {
  const leftOut = LEFT_OUT[method === 'getrawmempool' ? 'getmempoolentry' : method] ?? [];
  const without = (row: object): object => Object.fromEntries(Object.entries(row).filter(([key]) => !leftOut.includes(key)));
  const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);
  if (method === 'getchaintips')
    return [...(result as { height: number; hash: string }[])].sort((a, b) => b.height - a.height || a.hash.localeCompare(b.hash));
  if (method === 'testmempoolaccept') {
    const inCore = (value: unknown): unknown => (typeof value === 'string' ? (KNOTS_WORDS[value] ?? value) : value);
    return (result as object[]).map((row) => Object.fromEntries(Object.entries(without(row)).map(([key, value]) => [key, inCore(value)])));
  }
  if (method === 'getrawmempool' && Array.isArray(result)) return [...result].sort();
  if (method === 'getrawmempool' && isObject(result)) return Object.fromEntries(Object.entries(result).map(([id, row]) => [id, without(row)]));
  return isObject(result) ? without(result) : result;
}
