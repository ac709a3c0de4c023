import { errorsOf } from '@hemid/protocol';

/** Errors of this package. */
export const fail = errorsOf({
  'tunnel/contract': { severity: 'fatal', doc: 'the predeploy Tunnel does not answer as it must' },
});
