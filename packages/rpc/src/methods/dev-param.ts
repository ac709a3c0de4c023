import { z } from 'zod';
import type { RpcContext } from '../context.ts';
import type { Development } from '../development-port.ts';
import { fail } from '../errors.ts';
import type { Method, MethodTable } from '../method.ts';

/** A number as the tools of the field send it: as JSON's, in decimal, or in hex with or without leading zeros. */
export const amount = z.union(
  [
    z.int().min(0).transform(BigInt),
    z
      .string()
      .regex(/^(0x[0-9a-fA-F]{1,64}|\d{1,77})$/)
      .transform(BigInt),
  ],
  'must be a number: 10, "10" or "0xa"',
);

/** Seconds, or a timestamp in seconds. */
export const seconds = amount.refine((value) => value < 2n ** 40n, 'must be below 2^40 seconds');

/** The development network that a method is about. @throws `rpc/method-not-found` where there is none. */
export function developmentOf({ development }: RpcContext): Development {
  if (development === undefined) throw fail('rpc/method-not-found', 'this is not a development network');
  return development;
}

/** The same methods under several prefixes, e.g. `anvil_` and `hardhat_`. */
export function underPrefixes(prefixes: readonly string[], rows: Record<string, Method>): MethodTable {
  return Object.fromEntries(prefixes.flatMap((prefix) => Object.entries(rows).map(([name, row]) => [`${prefix}_${name}`, row])));
}
