import { isHemidError } from '@hemid/protocol';

/** The `error` member of a JSON-RPC answer. */
export interface RpcError {
  code: number;
  message: string;
  data?: unknown;
}

const SERVER_ERROR = -32000;
const INTERNAL_ERROR = -32603;

/** Codes that have a number of their own; all other errors of the house are −32000, as geth has it. */
const NUMBERS: Record<string, number> = {
  'rpc/parse': -32700,
  'rpc/invalid-request': -32600,
  'rpc/method-not-found': -32601,
  'rpc/invalid-params': -32602,
  'rpc/limit': -32005,
  'rpc/timeout': -32002,
  'rpc/reverted': 3,
};

/** An error as JSON-RPC shows it, the one place where codes become numbers. */
export function toRpcError(error: unknown): RpcError {
  if (isHemidError(error)) {
    // Clients find out that a state is gone by geth's words.
    const message = error.code === 'hvm/state-missing' ? `missing trie node: ${error.message}` : error.message;
    const number = error.details['code'];
    if (error.code === 'hvm/simulation-invalid' && typeof number === 'number') return { code: number, message };
    const data = error.code === 'rpc/reverted' ? { data: error.details['data'] } : {};
    return { code: NUMBERS[error.code] ?? SERVER_ERROR, message, ...data };
  }
  return { code: INTERNAL_ERROR, message: 'internal error: the log of the node has the details' };
}

/** Whether an error is a fault of the node, to be logged, and not of the request. */
export function isFault(error: unknown): boolean {
  return isHemidError(error) ? error.severity === 'fatal' : true;
}
