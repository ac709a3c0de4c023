import { fail } from '../errors.ts';

const SATS_PER_BTC = 100_000_000n;

/**
 * Satoshis of an amount as Bitcoin's JSON carries it: decimal BTC, as a number or as text. Exact for a number too: up
 * to 21 million BTC a double is nearer to its own amount than to any other with 8 decimals, and `toFixed(8)` gives
 * the nearest.
 *
 * @throws `bitcoin/rpc` unless it is a decimal number with at most 8 places, at most 21 million either way.
 */
export function satsFromBtc(amount: unknown): bigint {
  const text = typeof amount === 'number' && Number.isFinite(amount) ? amount.toFixed(8) : amount;
  const match = typeof text === 'string' ? /^(-?)(\d{1,8})(?:\.(\d{1,8}))?$/.exec(text) : null;
  if (match === null) throw fail('bitcoin/rpc', `not an amount of Bitcoin: ${JSON.stringify(amount)}`);
  const sats = BigInt(match[2] ?? '') * SATS_PER_BTC + BigInt((match[3] ?? '').padEnd(8, '0'));
  if (sats > 21_000_000n * SATS_PER_BTC) throw fail('bitcoin/rpc', `more Bitcoin than there can be: ${match[0]}`);
  return match[1] === '-' ? -sats : sats;
}

/** An amount in satoshis as decimal BTC with 8 places, e.g. `0.00000330`. */
export function btcFromSats(sats: bigint): string {
  const digits = (sats < 0n ? -sats : sats).toString().padStart(9, '0');
  return `${sats < 0n ? '-' : ''}${digits.slice(0, -8)}.${digits.slice(-8)}`;
}
