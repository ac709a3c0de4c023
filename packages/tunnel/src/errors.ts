import { errorsOf } from '@hemid/protocol';

/** Errors of this package. */
export const fail = errorsOf({
  'tunnel/contract': { severity: 'fatal', doc: 'the predeploy Tunnel does not answer as it must' },
  'tunnel/partial': { severity: 'invalid', doc: 'what another custodian sent is not a good signature of the batch' },
  'tunnel/conflict': { severity: 'invalid', doc: 'this custodian has signed another batch with one of the requests: a person must look' },
  'tunnel/deposit': { severity: 'fatal', doc: 'a Bitcoin payment that would not be the deposit that is meant' },
  'tunnel/peer': { severity: 'retry', doc: 'another custodian does not answer, or not as it must' },
});
