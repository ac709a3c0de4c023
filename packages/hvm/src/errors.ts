import { errorsOf } from '@hemid/protocol';

/** Errors of this package. */
export const fail = errorsOf({
  'hvm/transaction-invalid': {
    severity: 'invalid',
    doc: 'a user transaction cannot be executed here and now; the message is worded as geth words it',
  },
  'hvm/override': { severity: 'invalid', doc: 'what a caller wants the state to be cannot be' },
  'hvm/simulation-invalid': {
    severity: 'invalid',
    doc: 'blocks to try out that cannot follow one another; details {code} is the number of the execution APIs',
  },
  'hvm/state-pruned': { severity: 'retry', doc: 'the state of a block lies further back than this node keeps' },
  'hvm/state-missing': { severity: 'fatal', doc: 'the state of a block is not in the store, or a node of it is missing' },
});
