import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RpcContext } from './context.ts';
import { fail } from './errors.ts';
import { type Answered, checkRate, invokeText, invokeTogether } from './invoke.ts';
import { isFault, toRpcError } from './rpc-error.ts';
import { joinTexts, sizeOfText, toList, type WireText } from './wire-text.ts';

type Id = string | number | null;

interface Request {
  method: string;
  params: unknown;
  /** `undefined` for a notification: it is carried out and not answered. */
  id: Id | undefined;
}

/** Calls of a batch before other work gets its turn. */
const CALLS_PER_TURN = 32;

const isId = (value: unknown): value is Id => value === null || typeof value === 'string' || typeof value === 'number';

/** @throws `rpc/invalid-request` */
function readRequest(json: unknown): Request {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw fail('rpc/invalid-request', 'invalid request: not an object');
  const { jsonrpc, method, params, id } = json as Record<string, unknown>;
  if (jsonrpc !== '2.0') throw fail('rpc/invalid-request', 'invalid request: jsonrpc must be "2.0"');
  if (typeof method !== 'string') throw fail('rpc/invalid-request', 'invalid request: method must be a string');
  if (id !== undefined && !isId(id)) throw fail('rpc/invalid-request', 'invalid request: id must be a string, a number or null');
  return { method, params, id };
}

/** What is sent back for a request that fails. */
export function refuse(error: unknown, id: Id): string {
  return JSON.stringify({ jsonrpc: '2.0', id, error: toRpcError(error) });
}

/** The id to answer a malformed request with: its own if it has a usable one. */
function readId(json: unknown): Id {
  const id = typeof json === 'object' && json !== null ? (json as { id?: unknown }).id : null;
  return isId(id) ? id : null;
}

/** What is sent back for a call; nothing for a notification. */
function show(answered: Answered, { method, id }: Pick<Request, 'method' | 'id'>, { log }: RpcContext): WireText | undefined {
  if ('error' in answered && isFault(answered.error)) log.error({ method, err: answered.error }, 'rpc method failed');
  if (id === undefined) return undefined;
  return 'error' in answered ? refuse(answered.error, id) : joinTexts([`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":`, answered.json, '}']);
}

async function answerOne(json: unknown, context: RpcContext): Promise<WireText | undefined> {
  let request: Request;
  try {
    request = readRequest(json);
  } catch (error) {
    return refuse(error, readId(json));
  }
  const { method, params, id } = request;
  let answered: Answered;
  try {
    checkRate(context);
    answered = { json: await invokeText(method, params, context) };
  } catch (error) {
    answered = { error };
  }
  return show(answered, { method, id }, context);
}

/** The requests of a batch that are all calls of one method, each with an id; `undefined` for any other batch. */
function readAlike(batch: readonly unknown[]): Request[] | undefined {
  const requests: Request[] = [];
  for (const json of batch) {
    const { jsonrpc, method, params, id } = (json ?? {}) as Record<string, unknown>;
    if (jsonrpc !== '2.0' || typeof method !== 'string' || !isId(id)) return undefined;
    if (requests[0] !== undefined && requests[0].method !== method) return undefined;
    requests.push({ method, params, id });
  }
  return requests;
}

/** Answers a batch whose calls can be carried out together; `undefined` when they cannot. */
async function answerTogether(batch: readonly unknown[], context: RpcContext): Promise<WireText | undefined> {
  const requests = readAlike(batch);
  const method = requests?.[0]?.method;
  if (requests === undefined || method === undefined) return undefined;
  const calls = requests.map(({ params }) => params);
  const answered = await invokeTogether(method, calls, context).catch((error: unknown) => calls.map(() => ({ error })));
  return answered && toList(answered.map((one, i) => show(one, { method, id: requests[i]?.id }, context) ?? ''));
}

async function answerBatch(batch: readonly unknown[], context: RpcContext): Promise<WireText | undefined> {
  if (batch.length === 0) return refuse(fail('rpc/invalid-request', 'invalid request: empty batch'), null);
  const { batch: most, answerBytes } = context.limits;
  if (batch.length > most) return refuse(fail('rpc/invalid-request', `batch too large: ${batch.length} calls, at most ${most}`), null);
  const together = await answerTogether(batch, context);
  if (together !== undefined) return together;
  const answers: WireText[] = [];
  let length = 0;
  for (const [i, json] of batch.entries()) {
    if (i % CALLS_PER_TURN === CALLS_PER_TURN - 1) await nextTurn();
    const isFull = length > answerBytes;
    const answer = isFull
      ? refuse(fail('rpc/limit', 'response too large: ask for the rest in another batch'), readId(json))
      : await answerOne(json, context);
    if (answer === undefined) continue;
    answers.push(answer);
    length += sizeOfText(answer);
  }
  return answers.length === 0 ? undefined : toList(answers);
}

/** Answers the text of a JSON-RPC 2.0 request or batch; `undefined` when nothing is to be sent back. */
export async function answer(text: string, context: RpcContext): Promise<WireText | undefined> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    return refuse(fail('rpc/parse', 'parse error: the request is not JSON', { cause }), null);
  }
  return Array.isArray(json) ? answerBatch(json, context) : answerOne(json, context);
}
