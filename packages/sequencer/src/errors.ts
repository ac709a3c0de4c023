import { errorsOf } from '@hemid/protocol';

/** Errors of this package; messages are worded as geth words them, for libraries match the strings. */
export const fail = errorsOf({
  'pool/already-known': { severity: 'invalid', doc: 'the transaction is in the pool already' },
  'pool/underpriced': { severity: 'invalid', doc: 'a replacement does not raise both fees by 10 %' },
  'pool/rejected': { severity: 'invalid', doc: 'the transaction cannot be executed by its sender' },
  'development/time': { severity: 'invalid', doc: 'no block of a development chain can have this timestamp' },
  'pool/full': { severity: 'retry', doc: 'the pool, or the share of one account in it, is full' },
});
