import { fail } from './errors.ts';

/**
 * JSON in the canonical form of RFC 8785: keys in UTF-16 order, no white space, numbers as ECMAScript prints them.
 *
 * @throws `protocol/encoding` for what JSON does not have (undefined, bigint, NaN, functions).
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const keys = Object.keys(value).sort();
    const fields = keys.map((key) => `${JSON.stringify(key)}:${canonicalJson((value as Record<string, unknown>)[key])}`);
    return `{${fields.join(',')}}`;
  }
  const plain = value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
  if (!plain) throw fail('protocol/encoding', `${typeof value} has no JSON form`);
  return JSON.stringify(value);
}
