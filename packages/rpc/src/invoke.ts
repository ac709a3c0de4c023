import type { RpcContext } from './context.ts';
import { fail } from './errors.ts';
import { checkResult, type Method, readParams } from './method.ts';
import { methods } from './methods/table.ts';
import { type Json, toWire } from './wire.ts';

function find(method: string, { limits }: RpcContext): Method | undefined {
  return Object.hasOwn(methods, method) && limits.allows(method) ? methods[method] : undefined;
}

/** Tells a method of all its calls in a batch, before they are answered one by one. */
export async function prepare(method: string, calls: readonly unknown[], context: RpcContext): Promise<void> {
  await find(method, context)?.prepare?.(calls, context);
}

function run(row: Method, values: Record<string, unknown>, { context, ms }: { context: RpcContext; ms: number }): unknown {
  const { clock } = context;
  const untilMs = clock.now() + ms;
  const isOver = (): boolean => clock.now() >= untilMs || context.isOver();
  const answer = row.handle(values as never, { ...context, isOver });
  return answer instanceof Promise ? context.deadlines.keep(answer, ms) : answer;
}

/**
 * Calls a method as a client would, without a transport.
 *
 * @param params by position or by name, as they stand on the wire.
 * @throws `rpc/method-not-found`, `rpc/invalid-params`, `rpc/timeout`, and whatever the method throws.
 */
export async function invoke(method: string, params: unknown, context: RpcContext): Promise<Json> {
  const row = find(method, context);
  if (row === undefined) throw fail('rpc/method-not-found', `the method ${method} does not exist/is not available`);
  const begun = context.clock.now();
  let failed = true;
  try {
    const answer = toWire(await run(row, readParams(row.params, params), { context, ms: context.limits.timeoutMs(method) }));
    if (context.limits.checksAnswers) checkResult(row, answer);
    failed = false;
    return answer;
  } finally {
    context.calls.count(method, { ms: context.clock.now() - begun, failed });
  }
}
