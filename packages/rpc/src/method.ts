import type { z } from 'zod';
import type { ReadContext, RpcContext } from './context.ts';
import { fail } from './errors.ts';

/** Parameters by name, in their order; each schema transforms from the wire to the domain. */
export type Params = Record<string, z.ZodType>;

/** What the schemas of {@link Params} make of a request. */
export type Values<P extends Params> = { [K in keyof P]: z.output<P[K]> };

/** What became of one of several calls: a value of the domain, or what it threw. */
export type Outcome = { result: unknown } | { error: unknown };

/** Several calls of a method at once. */
export interface Together<T = unknown> {
  /** Reads the `params` of a call; `undefined` when they are not as they should be. */
  read(params: unknown): T | undefined;
  /** Carries out calls in their order; it never throws. */
  handle(calls: readonly T[], context: RpcContext): Promise<Outcome[]>;
}

/** A call and what it is answered with, for the documentation; a test makes it. */
export interface MethodExample {
  params: readonly unknown[];
  /** As it stands on the wire. */
  result: unknown;
}

/** A row of a method table. */
export interface Method<P extends Params = Params> {
  /** One sentence for the documentation. */
  doc: string;
  /** What the answer is on the wire: documented, and held against every answer in tests. */
  result: z.ZodType;
  params: P;
  /** How the calls of a batch that holds nothing else are carried out, where that is cheaper than one by one. */
  together?: Together;
  example?: MethodExample;
  /** Whether a call executes blocks again or searches many: it is carried out in another thread, where the node has one. */
  isLong?(values: Values<P>, context: ReadContext): boolean;
  /** Answers with values of the domain: {@link toText} makes them JSON. */
  handle(values: Values<P>, context: RpcContext): unknown;
}

/** A row of the table whose calls, all unless it says which, are carried out in another thread, where the node has one. */
interface LongMethod<P extends Params> extends Omit<Method<P>, 'handle'> {
  handle(values: Values<P>, context: ReadContext): unknown;
}

/** Methods by their full name, e.g. `eth_call`. */
export type MethodTable = Record<string, Method>;

/** Types a row by its own schemas. */
export function method<P extends Params>(row: Method<P>): Method {
  return row as unknown as Method;
}

/** The same for a long read, which sees no more than any thread can. */
export function longRead<P extends Params>(row: LongMethod<P>): Method {
  return method({ isLong: () => true, ...row });
}

/** The first complaint of a schema, with the place inside the parameter. */
function describe(error: z.ZodError): string {
  const issue = error.issues[0];
  const path = issue?.path.join('.') ?? '';
  return path === '' ? `${issue?.message}` : `${path}: ${issue?.message}`;
}

/** @throws an error unless an answer, as it stands on the wire, has the form that its method promises. */
export function checkResult({ result }: Pick<Method, 'result'>, answer: unknown): void {
  const parsed = result.safeParse(answer);
  if (!parsed.success)
    throw new Error(`the answer is not what the method promises: ${describe(parsed.error)} (${JSON.stringify(answer)?.slice(0, 400)})`);
}

function toPositions(names: readonly string[], params: unknown): unknown[] {
  if (params === undefined || params === null) return [];
  if (Array.isArray(params)) return params;
  if (typeof params !== 'object') throw fail('rpc/invalid-params', 'params must be an array, or an object of parameters by name');
  const unknown = Object.keys(params).find((name) => !names.includes(name));
  if (unknown !== undefined) throw fail('rpc/invalid-params', `there is no parameter "${unknown}", only ${names.join(', ')}`);
  return names.map((name) => (params as Record<string, unknown>)[name]);
}

/**
 * Reads the `params` of a request, given by position or by name; null counts as left out.
 *
 * @throws `rpc/invalid-params` naming the parameter.
 */
export function readParams<P extends Params>(shape: P, params: unknown): Values<P> {
  const names = Object.keys(shape);
  const positions = toPositions(names, params);
  if (positions.length > names.length) throw fail('rpc/invalid-params', `too many arguments, want at most ${names.length}`);
  const values: Record<string, unknown> = {};
  for (const [i, name] of names.entries()) {
    const value = positions[i] ?? undefined;
    const parsed = shape[name]?.safeParse(value);
    if (parsed?.success === true) values[name] = parsed.data;
    else if (value === undefined) throw fail('rpc/invalid-params', `missing value for required argument ${i} (${name})`);
    else throw fail('rpc/invalid-params', `invalid argument ${i} (${name}): ${parsed === undefined ? '' : describe(parsed.error)}`);
  }
  return values as Values<P>;
}
