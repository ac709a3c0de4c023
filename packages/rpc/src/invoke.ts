import type { RpcContext } from './context.ts';
import { fail } from './errors.ts';
import { type Method, readParams } from './method.ts';
import { methods } from './methods/table.ts';
import { type Json, toText, toWire } from './wire.ts';

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

/** A call as a client makes it. */
interface Call {
  method: string;
  /** By position or by name, as they stand on the wire. */
  params: unknown;
}

async function answerWith<T>({ method, params }: Call, context: RpcContext, read: (answer: unknown) => T): Promise<T> {
  const row = find(method, context);
  if (row === undefined) throw fail('rpc/method-not-found', `the method ${method} does not exist/is not available`);
  const begun = context.clock.now();
  let failed = true;
  try {
    const answer = run(row, readParams(row.params, params), { context, ms: context.limits.timeoutMs(method) });
    const json = read(answer instanceof Promise ? await answer : answer);
    failed = false;
    return json;
  } finally {
    context.calls.count(method, { ms: context.clock.now() - begun, failed });
  }
}

/**
 * Calls a method as a client would, without a transport.
 *
 * @param params by position or by name, as they stand on the wire.
 * @throws `rpc/method-not-found`, `rpc/invalid-params`, `rpc/timeout`, and whatever the method throws.
 */
export const invoke = (method: string, params: unknown, context: RpcContext): Promise<Json> => answerWith({ method, params }, context, toWire);

/** The same, with the JSON as text. */
export const invokeText = (method: string, params: unknown, context: RpcContext): Promise<string> => answerWith({ method, params }, context, toText);
