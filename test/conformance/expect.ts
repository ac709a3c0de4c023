import { isHemidError, toDigits } from '@hemid/protocol';

/** Compares bytes with hex, with or without 0x. */
export function expectHex(actual: Uint8Array | undefined, expected: string): void {
  const digits = actual === undefined ? 'nothing' : toDigits(actual);
  if (digits !== expected.replace(/^0x/, '').toLowerCase()) throw new Error(`expected ${expected}, got ${digits}`);
}

/** Compares two plain values. */
export function expectSame(actual: unknown, expected: unknown): void {
  const show = (value: unknown): string => JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? v.toString() : v));
  if (show(actual) !== show(expected)) throw new Error(`expected ${show(expected)}, got ${show(actual)}`);
}

/** Expects a decoder to refuse its input, with the one error that decoders may throw. */
export function expectRefused(decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    if (isHemidError(error, 'protocol/encoding')) return;
    throw error;
  }
  throw new Error('it was accepted, but must be refused');
}
