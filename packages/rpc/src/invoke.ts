import type { RpcContext } from './context.ts';
import { fail } from './errors.ts';
import { readParams } from './method.ts';
import { methods } from './methods/table.ts';
import { type Json, toWire } from './wire.ts';

/** Tells a method of all its calls in a batch, before they are answered one by one. */
export async function prepare(method: string, calls: readonly unknown[], context: RpcContext): Promise<void> {
  const row = Object.hasOwn(methods, method) ? methods[method] : undefined;
  await row?.prepare?.(calls, context);
}

/**
 * Calls a method as a client would, without a transport.
 *
 * @param params by position or by name, as they stand on the wire.
 * @throws `rpc/method-not-found`, `rpc/invalid-params`, and whatever the method throws.
 */
export async function invoke(method: string, params: unknown, context: RpcContext): Promise<Json> {
  const row = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (row === undefined) throw fail('rpc/method-not-found', `the method ${method} does not exist/is not available`);
  return toWire(await row.handle(readParams(row.params, params), context));
}
