import { isHemidError, toDigits } from '@hemid/protocol';
import { errorObject } from '../error-object.ts';
import { isFault } from '../rpc-error.ts';
import type { Json } from '../wire.ts';
import type { TbcDeps } from './command.ts';
import { commands } from './table.ts';

const REQUEST = /^tbcapi-(.+)-request$/;
const TRACE_BYTES = 8;

/** A frame: `{header: {command, id}, payload}`. */
export function toFrame(command: string, id: string | undefined, payload: { [field: string]: Json }): string {
  return JSON.stringify({ header: id === undefined ? { command } : { command, id }, payload });
}

/** What is wrong with a request, or that something is wrong with the node. */
function showError(error: unknown, name: string, { clock, random, log }: TbcDeps): { [field: string]: Json } {
  if (isHemidError(error) && !isFault(error)) return errorObject(error.message, { clock });
  const trace = random.bytes(TRACE_BYTES);
  log.error({ command: name, trace: toDigits(trace), err: error }, 'tbc command failed');
  return errorObject('internal error', { clock, trace });
}

interface Header {
  command: string;
  id: string | undefined;
}

/** The header of a frame, as much of it as can be read. */
function readHeader(json: unknown): Header | undefined {
  const header = (json as { header?: { command?: unknown; id?: unknown } } | null)?.header;
  if (typeof header?.command !== 'string') return undefined;
  return { command: header.command, id: typeof header.id === 'string' ? header.id : undefined };
}

/**
 * Answers the text of a frame; `undefined` for a response, which needs no answer. What cannot be read or is not known
 * is answered with an error, under the name of its response if it has one.
 */
export async function answerFrame(text: string, deps: TbcDeps): Promise<string | undefined> {
  const refuse = (message: string, { command, id }: Partial<Header> = {}): string =>
    toFrame(command?.replace(/-request$/, '-response') ?? 'tbcapi-error-response', id, { error: errorObject(message, { clock: deps.clock }) });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return refuse('the frame is not JSON');
  }
  const header = readHeader(json);
  if (header === undefined) return refuse('the frame has no header with a command');
  if (header.command.endsWith('-response')) return undefined;
  const name = REQUEST.exec(header.command)?.[1] ?? '';
  const row = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (row === undefined) return refuse(`unknown command: ${header.command}`, header);
  const payload = row.payload.safeParse((json as { payload?: unknown }).payload ?? {});
  if (!payload.success) {
    const [issue] = payload.error.issues;
    return refuse(`invalid payload: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, header);
  }
  const response = header.command.replace(/-request$/, '-response');
  try {
    return toFrame(response, header.id, await row.handle(payload.data, deps));
  } catch (error) {
    return toFrame(response, header.id, { error: showError(error, name, deps) });
  }
}
