import { errorsOf } from '@hemid/protocol';

/** Errors of this package. */
export const fail = errorsOf({
  'hvm/transaction-invalid': {
    severity: 'invalid',
    doc: 'a user transaction cannot be executed here and now; the message is worded as geth words it',
  },
  'hvm/state-pruned': { severity: 'retry', doc: 'the state of a block lies further back than this node keeps' },
  'hvm/state-missing': { severity: 'fatal', doc: 'the state of a block is not in the store, or a node of it is missing' },
});
