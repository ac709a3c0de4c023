import type { RpcContext } from './context.ts';
import { fail } from './errors.ts';
import { checkResult, type Method, type Outcome, readParams, type Together } from './method.ts';
import { methods } from './methods/table.ts';
import { readElsewhere } from './read-elsewhere.ts';
import { type Json, toWire, toWireText } from './wire.ts';
import type { WireText } from './wire-text.ts';

function find(method: string, { limits }: RpcContext): Method | undefined {
  return Object.hasOwn(methods, method) && limits.allows(method) ? methods[method] : undefined;
}

function run(row: Method, call: Call, { context, ms }: { context: RpcContext; ms: number }): unknown {
  const { clock, limits, longReads } = context;
  const untilMs = clock.now() + ms;
  const isOver = (): boolean => clock.now() >= untilMs || context.isOver();
  const values = readParams(row.params, call.params);
  const isElsewhere = longReads !== undefined && row.isLong?.(values as never, context) === true;
  const answer = isElsewhere ? readElsewhere(call, { limits, longReads, isOver }) : row.handle(values as never, { ...context, isOver });
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
    const answer = run(row, { method, params }, { context, ms: context.limits.timeoutMs(method) });
    const value = answer instanceof Promise ? await answer : answer;
    if (context.limits.checksAnswers) checkResult(row, toWire(value));
    const json = read(value);
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
export const invokeText = (method: string, params: unknown, context: RpcContext): Promise<WireText> =>
  answerWith({ method, params }, context, toWireText);

/** @throws `rpc/limit` when the client has made too many calls. */
export function checkRate({ mayCall, limits }: RpcContext): void {
  if (!mayCall()) throw fail('rpc/limit', `too many calls: this address may make ${limits.rate} in a second`);
}

/** The values of all calls; `undefined` when one cannot be read. */
function readAll({ read }: Together, calls: readonly unknown[]): unknown[] | undefined {
  const values: unknown[] = [];
  for (const params of calls) {
    const value = read(params);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

/** What is sent back for a call: the text of its result, or what it threw. */
export type Answered = { json: WireText } | { error: unknown };

/**
 * Calls a method for each of several `params`, all at once.
 *
 * @returns what became of each; `undefined`, with nothing done, when the method or one of the calls is not for that.
 * @throws `rpc/timeout`
 */
export async function invokeTogether(method: string, calls: readonly unknown[], context: RpcContext): Promise<Answered[] | undefined> {
  const row = find(method, context);
  const values = row?.together && readAll(row.together, calls);
  if (row?.together === undefined || values === undefined) return undefined;
  const begun = context.clock.now();
  const refused = values.map(() => refusal(context));
  const admitted = values.filter((_, i) => refused[i] === undefined);
  const carriedOut = await context.deadlines.keep(row.together.handle(admitted, context), context.limits.timeoutMs(method));
  const ms = (context.clock.now() - begun) / values.length;
  let next = 0;
  return refused.map((refusal) => {
    const outcome = refusal ?? (carriedOut[next++] as Outcome);
    context.calls.count(method, { ms, failed: 'error' in outcome });
    return 'error' in outcome ? outcome : { json: toWireText(outcome.result) };
  });
}

function refusal(context: RpcContext): { error: unknown } | undefined {
  try {
    checkRate(context);
    return undefined;
  } catch (error) {
    return { error };
  }
}
