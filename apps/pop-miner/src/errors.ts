import { errorsOf } from '@hemid/protocol';

/** Errors of the miner program. */
export const fail = errorsOf({
  'popmd/config': { severity: 'fatal', doc: 'the configuration asks for something that cannot be' },
  'popmd/key': { severity: 'fatal', doc: 'no key is given, more than one, or the file of one cannot be read' },
  'popmd/password': { severity: 'fatal', doc: 'the password of the keystore is not given, or not twice the same' },
  'popmd/keystore-exists': { severity: 'fatal', doc: 'the file that a new keystore would be written to is there already' },
  'popmd/listen': { severity: 'fatal', doc: 'the address of the HTTP endpoints cannot be listened on' },
  'popmd/not-running': { severity: 'retry', doc: 'no popmd answers where its status is asked for' },
  'popmd/interrupted': { severity: 'retry', doc: 'a command was stopped by a signal before its end' },
  'popmd/nothing-to-sweep': { severity: 'retry', doc: 'there are no coins that could be sent now' },
  'popmd/fee-too-high': { severity: 'retry', doc: 'Bitcoin asks for a higher fee rate than may be paid' },
  'popmd/unconfirmed': { severity: 'invalid', doc: 'coins would be sent: a person must agree first' },
});
