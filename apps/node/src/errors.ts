import { errorsOf } from '@hemid/protocol';

/** Errors of the node program. */
export const fail = errorsOf({
  'node/config': { severity: 'fatal', doc: 'the configuration asks for something that cannot be' },
  'node/not-sequencer': { severity: 'fatal', doc: 'the sequencer key is not one of the chain spec' },
  'node/no-block': { severity: 'retry', doc: 'a block that was asked for is not on the chain any more' },
  'node/db-damaged': { severity: 'fatal', doc: 'a row that must be in the database is not there' },
  'node/db-file': { severity: 'invalid', doc: 'a file of blocks is cut off, damaged, or of another chain; details {offset}' },
  'node/db-reach': { severity: 'invalid', doc: 'the state so far back is not kept' },
  'node/no-proof': { severity: 'retry', doc: 'not all links of a proof stand yet; the message says what is waited for' },
  'node/other-checkpoint': { severity: 'invalid', doc: 'the node has another Bitcoin block at the height of the checkpoint that was given' },
  'node/read-lost': { severity: 'retry', doc: 'the thread that read for a call ended before it had the answer' },
  'node/interrupted': { severity: 'retry', doc: 'a command was stopped by a signal before its end' },
});
