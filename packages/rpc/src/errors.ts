import { errorsOf } from '@hemid/protocol';

/** Errors of this package. */
export const fail = errorsOf({
  'rpc/parse': { severity: 'invalid', doc: 'the body of a request is not JSON' },
  'rpc/invalid-request': { severity: 'invalid', doc: 'JSON that is not a JSON-RPC 2.0 request' },
  'rpc/method-not-found': { severity: 'invalid', doc: 'no such method, or not on this transport' },
  'rpc/invalid-params': { severity: 'invalid', doc: 'a parameter is missing or malformed; the message names it' },
  'rpc/not-found': { severity: 'invalid', doc: 'a block, filter or subscription that a call needs is not here' },
  'rpc/limit': { severity: 'invalid', doc: 'the answer would be too large; the message says what to ask instead' },
  'rpc/timeout': { severity: 'invalid', doc: 'a call took too long and was given up' },
  'rpc/reverted': { severity: 'invalid', doc: 'a call ended by REVERT; details {data} is the revert data as hex' },
  'rpc/execution-failed': { severity: 'invalid', doc: 'a call failed in the EVM' },
  'rpc/fixed': { severity: 'invalid', doc: 'the rules of the chain fix what a verb of a development network would set' },
  'rpc/listen': { severity: 'fatal', doc: 'the RPC port cannot be opened' },
});
