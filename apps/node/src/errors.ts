import { errorsOf } from '@hemid/protocol';

/** Errors of the node program. */
export const fail = errorsOf({
  'node/config': { severity: 'fatal', doc: 'the configuration asks for something that cannot be' },
  'node/not-sequencer': { severity: 'fatal', doc: 'the sequencer key is not one of the chain spec' },
  'node/no-block': { severity: 'retry', doc: 'a block that was asked for is not on the chain any more' },
});
